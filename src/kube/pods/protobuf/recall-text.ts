import type { ReadText } from './message-reader.ts';

/** Distinct texts that are kept; who holds more than these is read all the same. */
const limit = 16;

/**
 * Reads texts of which thousands are alike and few are different, as trust anchors are: one string
 * for all of them, whose hash is computed once.
 */
export function recallTexts(): ReadText {
  const known: { readonly bytes: Buffer; readonly text: string }[] = [];
  return (bytes, start, end) => {
    for (const entry of known) {
      if (entry.bytes.length === end - start && bytes.compare(entry.bytes, 0, entry.bytes.length, start, end) === 0)
        return entry.text;
    }
    const text = bytes.toString('utf8', start, end);
    // A copy: a part would keep the chunk that it came in.
    if (known.length < limit) known.push({ bytes: Buffer.from(bytes.subarray(start, end)), text });
    return text;
  };
}

/** In bytes. What is longer is read anew each time. */
const longestRecalled = 128;

/** Reads short texts that are mostly what the one before was: the same string is given again. */
export function recallLast(): ReadText {
  const last = Buffer.alloc(longestRecalled);
  let length = 0;
  let text = '';
  return (bytes, start, end) => {
    if (end - start === length && isSame(bytes, start)) return text;
    text = bytes.toString('utf8', start, end);
    length = end - start;
    for (let index = Math.min(length, longestRecalled) - 1; index >= 0; index--)
      last[index] = bytes[start + index] as number;
    return text;
  };

  /** From behind, where names differ. */
  function isSame(bytes: Buffer, start: number): boolean {
    if (length > longestRecalled) return false;
    for (let index = length - 1; index >= 0; index--) if (last[index] !== bytes[start + index]) return false;
    return true;
  }
}
