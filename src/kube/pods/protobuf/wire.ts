/** What a tag says of the content behind it. The two types that are missing are groups, which Kubernetes does not use. */
export const wireTypes = { varint: 0, fixed64: 1, delimited: 2, fixed32: 5 } as const;

/** No number takes more bytes: ten times seven bits. */
const varintLimit = 10;

/** The tag and the length, or the number, of one field. */
export interface FieldHead {
  readonly field: number;
  /** Of the head itself, in bytes. */
  readonly size: number;
  /** Of the content behind it, in bytes; 0 for a number, which belongs to the head. */
  readonly length: number;
  readonly isDelimited: boolean;
}

/** No head is longer. */
export const headLimit = 2 * varintLimit;

/** The head that begins at `start`. @throws Error for what is no head, or only a part of one before `limit` */
export function readHead(bytes: Buffer, start: number, limit: number): FieldHead {
  const tagEnd = findVarintEnd(bytes, start, limit);
  const tag = readVarint(bytes, start, tagEnd);
  const [field, wireType] = [fieldOf(tag), tag % 8];
  if (wireType === wireTypes.fixed64) return { field, size: tagEnd - start, length: 8, isDelimited: false };
  if (wireType === wireTypes.fixed32) return { field, size: tagEnd - start, length: 4, isDelimited: false };
  const end = findVarintEnd(bytes, tagEnd, limit);
  if (wireType === wireTypes.varint) return { field, size: end - start, length: 0, isDelimited: false };
  if (wireType !== wireTypes.delimited) throw new TypeError('a group');
  return { field, size: end - start, length: readVarint(bytes, tagEnd, end), isDelimited: true };
}

/** @throws RangeError for 0, which no field has */
export function fieldOf(tag: number): number {
  if (tag < 8) throw new RangeError('a field has the number 0');
  return tag < 2 ** 31 ? tag >> 3 : Math.floor(tag / 8);
}

/** Where the number that begins at `start` ends. @throws RangeError where that is not before `limit` */
export function findVarintEnd(bytes: Buffer, start: number, limit: number): number {
  const last = Math.min(limit, start + varintLimit);
  for (let index = start; index < last; index++) if ((bytes[index] as number) < 128) return index + 1;
  throw new RangeError('a number is longer than what it stands in');
}

/** Exact up to 2^53: no length and no tag comes near it. */
export function readVarint(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  for (let index = end - 1; index >= start; index--) value = value * 128 + ((bytes[index] as number) & 127);
  return value;
}

/** The same for a number that may be negative, which has all ten bytes then. */
export function readSignedVarint(bytes: Buffer, start: number, end: number): number {
  if (end - start < varintLimit) return readVarint(bytes, start, end);
  let value = 0n;
  for (let index = end - 1; index >= start; index--) value = value * 128n + BigInt((bytes[index] as number) & 127);
  return Number(BigInt.asIntN(64, value));
}
