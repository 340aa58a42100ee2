import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** The content of a field: bytes of a text or a message, a number, or nothing where no one reads that kind. */
export type FieldValue = Buffer | number | undefined;

/**
 * The fields of one message in the order in which they stand there. Nothing is read beyond the
 * message's own bytes, so that a length that lies cannot reach into the next pod.
 * @throws Error (the library's) for what is no protobuf
 */
export function* fieldsOf(message: Buffer): Generator<readonly [field: number, value: FieldValue]> {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    yield [field, readValue(reader, field, wireType)];
  }
}

function readValue(reader: BinaryReader, field: number, wireType: WireType): FieldValue {
  switch (wireType) {
    case WireType.LengthDelimited:
      // A part of a Buffer is one, which the library's type does not tell.
      return reader.bytes() as Buffer;
    case WireType.Varint:
      return Number(reader.int64());
    default:
      reader.skip(wireType, field);
      return undefined;
  }
}

/** @throws Error where the field holds no bytes: then it is not what its number says */
export function asBytes(value: FieldValue): Buffer {
  if (value instanceof Uint8Array) return value;
  throw new Error('a field is of another type than its number says');
}

/** @throws Error where the field holds no number */
export function asNumber(value: FieldValue): number {
  if (typeof value === 'number') return value;
  throw new Error('a field is of another type than its number says');
}

export function asText(value: FieldValue): string {
  return asBytes(value).toString('utf8');
}
