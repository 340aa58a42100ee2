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
  #end = 0;

  constructor(message: Buffer) {
    this.#bytes = message;
    this.#messageEnd = message.length;
  }

  /** The number of the next field; 0 at the end of the message. What was not taken is passed over. */
  next(): number {
    if (this.#end === this.#messageEnd) return 0;
    const bytes = this.#bytes;
    const tagEnd = findVarintEnd(bytes, this.#end, this.#messageEnd);
    const tag = readVarint(bytes, this.#end, tagEnd);
    const field = fieldOf(tag);
    this.#wireType = tag % 8;
    this.#start = tagEnd;
    if (this.#wireType === wireTypes.delimited) {
      this.#start = findVarintEnd(bytes, tagEnd, this.#messageEnd);
      this.#end = this.#start + readVarint(bytes, tagEnd, this.#start);
    } else if (this.#wireType === wireTypes.varint) this.#end = findVarintEnd(bytes, tagEnd, this.#messageEnd);
    else if (this.#wireType === wireTypes.fixed64) this.#end = tagEnd + 8;
    else if (this.#wireType === wireTypes.fixed32) this.#end = tagEnd + 4;
    else throw new TypeError('a group');
    if (this.#end > this.#messageEnd) throw new RangeError('a field is longer than its message');
    return field;
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

  text(): string {
    this.#expect(wireTypes.delimited);
    return this.#bytes.toString('utf8', this.#start, this.#end);
  }

  /** For `textAt`: whether a text is needed may show only behind it. */
  place(): Place {
    this.#expect(wireTypes.delimited);
    return { start: this.#start, end: this.#end };
  }

  /** @param read makes a string of a part of the bytes */
  textAt({ start, end }: Place, read: ReadText): string {
    return read(this.#bytes, start, end);
  }

  /** Without making a string of it, as the next one. */
  isText(expected: Buffer): boolean {
    return this.beginsWith(expected) && this.#end - this.#start === expected.length;
  }

  beginsWith(expected: Buffer): boolean {
    this.#expect(wireTypes.delimited);
    if (this.#end - this.#start < expected.length) return false;
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
