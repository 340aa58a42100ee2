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

/** Reads the frame at the start of `bytes`; what stands behind it is left alone. @throws DerError */
export function readTlv(bytes: Uint8Array, offset = 0): Tlv {
  const tag = byteAt(bytes, offset);
  if ((tag & 0x1f) === 0x1f) throw new DerError('a tag of more than one byte');
  const first = byteAt(bytes, offset + 1);
  let length = first;
  let header = 2;
  if (first & 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw new DerError('an indefinite or oversized length');
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + byteAt(bytes, offset + 2 + i);
    if (length < 0x80 || length < 2 ** (8 * (count - 1))) throw new DerError('a length that is not minimal');
    header += count;
  }
  const end = offset + header + length;
  if (end > bytes.length) throw new DerError('data ends inside an element');
  return { tag, raw: bytes.subarray(offset, end), content: bytes.subarray(offset + header, end) };
}

/** The frames that `content` consists of, one behind the other. @throws DerError */
export function readChildren(content: Uint8Array): Tlv[] {
  const children: Tlv[] = [];
  for (let offset = 0; offset < content.length; ) {
    const child = readTlv(content, offset);
    children.push(child);
    offset += child.raw.length;
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
  const [unused, ...bytes] = assertTag(tlv, tags.bitString).content;
  const last = bytes.at(-1) ?? 0;
  if (unused === undefined || unused > 7 || (bytes.length === 0 && unused > 0) || last & ((1 << unused) - 1))
    throw new DerError('a malformed bit string');
  return Uint8Array.from(bytes);
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
export function assertDer(bytes: Uint8Array, depth = 0): void {
  if (depth > 32) throw new DerError('nested too deep');
  for (const child of readChildren(bytes)) {
    if (child.tag & 0x20) assertDer(child.content, depth + 1);
    else if (child.tag === tags.integer) assertMinimalInteger(child.content);
    else if (child.tag === tags.boolean) assertBoolean(child.content);
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

function byteAt(bytes: Uint8Array, offset: number): number {
  const byte = bytes[offset];
  if (byte === undefined) throw new DerError('data ends inside an element');
  return byte;
}

/** Frames `contents` with a tag and a minimal length. */
export function encodeTlv(tag: number, ...contents: Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const lengthBytes: number[] = [];
  for (let rest = content.length; rest > 0; rest = Math.floor(rest / 256)) lengthBytes.unshift(rest % 256);
  const length = content.length < 0x80 ? [content.length] : [0x80 | lengthBytes.length, ...lengthBytes];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}
