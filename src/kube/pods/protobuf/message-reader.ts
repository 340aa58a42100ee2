import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/**
 * The fields of one message and of those within it, in the order in which they stand there. Nothing
 * is taken that reaches beyond the end of its own message, so that a length that lies spoils
 * nothing but itself. One reader does for a whole pod: of 10,000 pods each further object counts.
 * @throws Error (its methods) for what is no protobuf, or is of another type than its number says
 */
export class MessageReader {
  readonly #reader: BinaryReader;
  /** Of the message that is being read. */
  #end: number;
  #wireType: WireType = WireType.Varint;
  #isTaken = false;

  constructor(message: Uint8Array) {
    this.#reader = new BinaryReader(message);
    this.#end = message.length;
  }

  /** Calls back for each field; what is not taken by one of the methods below is passed over. */
  fields(visit: (field: number) => void): void {
    const end = this.#end;
    while (this.#reader.pos < end) {
      const [field, wireType] = this.#reader.tag();
      this.#wireType = wireType;
      this.#isTaken = false;
      visit(field);
      if (!this.#isTaken) this.#skip(field);
      if (this.#reader.pos > end) throw new RangeError('a field is longer than its message');
    }
  }

  message(visit: (field: number) => void): void {
    this.#take(WireType.LengthDelimited);
    const outer = this.#end;
    const length = this.#reader.uint32();
    this.#end = this.#reader.pos + length;
    if (this.#end > outer) throw new RangeError('a message is longer than what it stands in');
    this.fields(visit);
    this.#end = outer;
    this.#isTaken = true;
  }

  text(): string {
    this.#take(WireType.LengthDelimited);
    return this.#reader.string();
  }

  /** A part of the message, not a copy. */
  bytes(): Uint8Array {
    this.#take(WireType.LengthDelimited);
    return this.#reader.bytes();
  }

  /** Whole numbers up to 2^53. */
  number(): number {
    this.#take(WireType.Varint);
    return Number(this.#reader.int64());
  }

  #take(expected: WireType): void {
    if (this.#wireType !== expected) throw new TypeError('a field is of another type than its number says');
    this.#isTaken = true;
  }

  #skip(field: number): void {
    if (this.#wireType === WireType.LengthDelimited) {
      // The library's own way makes an object of what it passes over.
      const length = this.#reader.uint32();
      this.#reader.pos += length;
    } else this.#reader.skip(this.#wireType, field);
  }
}
