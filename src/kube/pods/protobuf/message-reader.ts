import { fieldOf, findVarintEnd, readSignedVarint, readVarint, wireTypes } from './wire.ts';

/** Where a text stands in its message. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

export type ReadText = (bytes: Buffer, start: number, end: number) => string;

/**
 * The fields of one message and of those within it, in the order in which they stand there. Nothing
 * is taken that reaches beyond the end of its own message, so that a length that lies spoils
 * nothing but itself. It makes objects only of what it is asked for: 10,000 pods have three million
 * fields, and all but a few are passed over.
 * @throws Error (its methods) for what is no protobuf, or is of another type than its number says
 */
export class MessageReader {
  readonly #bytes: Buffer;
  /** Of the message that is being read. */
  #messageEnd: number;
  /** Of the field: its type, and its content. */
  #wireType: number = wireTypes.varint;
  #start = 0;
  #end: number;

  /** The message that lies from `start` to `end` of the bytes. */
  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#end = start;
    this.#messageEnd = end;
  }

  /** The number of the next field; 0 at the end of the message. What was not taken is passed over. */
  next(): number {
    const bytes = this.#bytes;
    const tagStart = this.#end;
    if (tagStart === this.#messageEnd) return 0;
    // Of tags and lengths nearly all are one byte, and a list of 10,000 pods has six million of them.
    let start = tagStart + 1;
    let tag = bytes[tagStart] as number;
    if (tag > 127) {
      start = findVarintEnd(bytes, tagStart, this.#messageEnd);
      tag = readVarint(bytes, tagStart, start);
    }
    this.#wireType = tag % 8;
    if (this.#wireType === wireTypes.delimited) {
      let length = bytes[start++] ?? 0;
      if (length > 127) {
        const lengthStart = start - 1;
        start = findVarintEnd(bytes, lengthStart, this.#messageEnd);
        length = readVarint(bytes, lengthStart, start);
      }
      this.#end = start + length;
    } else this.#end = this.#endOfNumber(start);
    this.#start = start;
    if (this.#end > this.#messageEnd) throw new RangeError('a field is longer than its message');
    return fieldOf(tag);
  }

  #endOfNumber(start: number): number {
    if (this.#wireType === wireTypes.varint) return findVarintEnd(this.#bytes, start, this.#messageEnd);
    if (this.#wireType === wireTypes.fixed64) return start + 8;
    if (this.#wireType === wireTypes.fixed32) return start + 4;
    throw new TypeError('a group');
  }

  /** Goes into the message that the field is. @returns what `leave` wants at its end */
  enter(): number {
    this.#expect(wireTypes.delimited);
    const outerEnd = this.#messageEnd;
    this.#messageEnd = this.#end;
    this.#end = this.#start;
    return outerEnd;
  }

  /** Goes back from the end of a message to the one that it stands in. */
  leave(outerEnd: number): void {
    this.#end = this.#messageEnd;
    this.#messageEnd = outerEnd;
  }

  /** @param read makes a string of a part of the bytes */
  text(read: ReadText = readUtf8): string {
    this.#expect(wireTypes.delimited);
    return read(this.#bytes, this.#start, this.#end);
  }

  /** For `textAt`: whether a text is needed may show only behind it. */
  place(): Place {
    this.#expect(wireTypes.delimited);
    return { start: this.#start, end: this.#end };
  }

  /** @param read makes a string of a part of the bytes */
  textAt({ start, end }: Place, read: ReadText = readUtf8): string {
    return read(this.#bytes, start, end);
  }

  /** Without making a string of it, as the next one. */
  isText(expected: Buffer): boolean {
    this.#expect(wireTypes.delimited);
    return this.#end - this.#start === expected.length && this.#holds(expected);
  }

  beginsWith(expected: Buffer): boolean {
    this.#expect(wireTypes.delimited);
    return this.#end - this.#start >= expected.length && this.#holds(expected);
  }

  #holds(expected: Buffer): boolean {
    for (let index = 0; index < expected.length; index++)
      if (this.#bytes[this.#start + index] !== expected[index]) return false;
    return true;
  }

  /** Whole numbers up to 2^53. */
  number(): number {
    this.#expect(wireTypes.varint);
    return readSignedVarint(this.#bytes, this.#start, this.#end);
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType) throw new TypeError('a field is of another type than its number says');
  }
}

function readUtf8(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('utf8', start, end);
}
