/**
 * A strict reader of DER's tag-length-value frames (X.690, section 10). ASN.1 libraries take BER
 * and re-encode what they read; Go refuses what is not DER and compares names as raw bytes, so
 * certificates are first held against this reader and cut into exact slices by it.
 */
export interface Tlv {
  readonly tag: number;
  /** The whole frame, tag and length included. */
  readonly raw: Uint8Array;
  readonly content: Uint8Array;
}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

export class DerError extends Error {
  override readonly name = 'DerError';
}

/** Cuts its slices when they are asked for: most frames are only walked over, and a slice is dearer than a frame. */
class Frame implements Tlv {
  readonly tag: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly contentStart: number;
  readonly end: number;

  constructor(tag: number, bytes: Uint8Array, start: number, contentStart: number, end: number) {
    this.tag = tag;
    this.bytes = bytes;
    this.start = start;
    this.contentStart = contentStart;
    this.end = end;
  }

  get raw(): Uint8Array {
    return this.bytes.subarray(this.start, this.end);
  }

  get content(): Uint8Array {
    return this.bytes.subarray(this.contentStart, this.end);
  }
}

/** Reads the frame at the start of `bytes`; what stands behind it is left alone. @throws DerError */
export function readTlv(bytes: Uint8Array): Tlv {
  return readFrame(bytes, 0, bytes.length);
}

function readFrame(bytes: Uint8Array, start: number, limit: number): Frame {
  if (start + 2 > limit) throw cutOff();
  const tag = bytes[start] as number;
  if ((tag & 0x1f) === 0x1f) throw new DerError('a tag of more than one byte');
  const first = bytes[start + 1] as number;
  let length = first;
  let contentStart = start + 2;
  if (first & 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw new DerError('an indefinite or oversized length');
    contentStart += count;
    if (contentStart > limit) throw cutOff();
    length = 0;
    for (let at = start + 2; at < contentStart; at++) length = length * 256 + (bytes[at] as number);
    if (length < 0x80 || length < 2 ** (8 * (count - 1))) throw new DerError('a length that is not minimal');
  }
  const end = contentStart + length;
  if (end > limit) throw cutOff();
  return new Frame(tag, bytes, start, contentStart, end);
}

function cutOff(): DerError {
  return new DerError('data ends inside an element');
}

/** The frames that `content` consists of, one behind the other. @throws DerError */
export function readChildren(content: Uint8Array): Tlv[] {
  const children: Tlv[] = [];
  for (let offset = 0; offset < content.length; ) {
    const child = readFrame(content, offset, content.length);
    children.push(child);
    offset = child.end;
  }
  return children;
}

/** Reads one frame that fills `bytes` to the last byte and has the tag given. @throws DerError */
export function readExactly(bytes: Uint8Array, tag: number): Tlv {
  const tlv = readTlv(bytes);
  assertTag(tlv, tag);
  if (tlv.raw.length !== bytes.length) throw new DerError('trailing data');
  return tlv;
}

/** The frames within a SEQUENCE. @throws DerError */
export function readSequence(tlv: Tlv | undefined): Tlv[] {
  return readChildren(assertTag(tlv, tags.sequence).content);
}

/** The frame itself, when it has the tag. @throws DerError */
export function assertTag(tlv: Tlv | undefined, tag: number): Tlv {
  if (tlv?.tag === tag) return tlv;
  const found = tlv ? `tag 0x${tlv.tag.toString(16)}` : 'nothing';
  throw new DerError(`${found} where tag 0x${tag.toString(16)} is due`);
}

/** The bytes of a BIT STRING, whose unused bits must be zero. @throws DerError */
export function readBits(tlv: Tlv | undefined): Uint8Array {
  const { content } = assertTag(tlv, tags.bitString);
  const [unused] = content;
  const bytes = content.subarray(1);
  const last = bytes.at(-1) ?? 0;
  if (unused === undefined || unused > 7 || (bytes.length === 0 && unused > 0) || last & ((1 << unused) - 1))
    throw new DerError('a malformed bit string');
  return bytes;
}

/** An object identifier in dotted form; its arcs stay below 2^31, as in Go. @throws DerError */
export function readOid(tlv: Tlv | undefined): string {
  const { content } = assertTag(tlv, tags.oid);
  const arcs: number[] = [];
  let arc: number | undefined;
  for (const byte of content) {
    if (arc === undefined && byte === 0x80) throw new DerError('an object identifier that is not minimal');
    arc = (arc ?? 0) * 128 + (byte & 0x7f);
    if (arc >= 2 ** 31) throw new DerError('an object identifier with an oversized arc');
    if (byte & 0x80) continue;
    arcs.push(arc);
    arc = undefined;
  }
  const [first, ...rest] = arcs;
  if (first === undefined || arc !== undefined) throw new DerError('a malformed object identifier');
  const root = Math.min(Math.floor(first / 40), 2);
  return [root, first - root * 40, ...rest].join('.');
}

/** Walks every constructed element down to the leaves. @throws DerError */
export function assertDer(bytes: Uint8Array): void {
  assertFrames(bytes, 0, bytes.length, 0);
}

function assertFrames(bytes: Uint8Array, start: number, end: number, depth: number): void {
  if (depth > 32) throw new DerError('nested too deep');
  for (let offset = start; offset < end; ) {
    const frame = readFrame(bytes, offset, end);
    if (frame.tag & 0x20) assertFrames(bytes, frame.contentStart, frame.end, depth + 1);
    else if (frame.tag === tags.integer) assertMinimalInteger(frame.content);
    else if (frame.tag === tags.boolean) assertBoolean(frame.content);
    offset = frame.end;
  }
}

function assertMinimalInteger(content: Uint8Array): void {
  const [first, second] = content;
  if (first === undefined) throw new DerError('an empty integer');
  if (second === undefined) return;
  if ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))
    throw new DerError('an integer that is not minimal');
}

function assertBoolean(content: Uint8Array): void {
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff))
    throw new DerError('a boolean that is not DER');
}

/** Frames `contents` with a tag and a minimal length. */
export function encodeTlv(tag: number, ...contents: Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const lengthBytes: number[] = [];
  for (let rest = content.length; rest > 0; rest = Math.floor(rest / 256)) lengthBytes.unshift(rest % 256);
  const length = content.length < 0x80 ? [content.length] : [0x80 | lengthBytes.length, ...lengthBytes];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}
