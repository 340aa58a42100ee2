/** The bytes of a stream, taken in the lengths that its messages announce. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #buffered: Buffer[] = [];
  /** How much of the first chunk has been taken. */
  #offset = 0;
  #available = 0;
  #position = 0;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** How many bytes have been taken. */
  get position(): number {
    return this.#position;
  }

  /** Whether so many bytes have come already. */
  holds(length: number): boolean {
    return this.#available >= length;
  }

  /** Waits for so many bytes, which are in memory then: the caller bounds them. False where the stream ends before. */
  async fill(length: number): Promise<boolean> {
    while (this.#available < length) {
      const { done, value } = await this.#chunks.next();
      if (done) return false;
      this.#buffered.push(value);
      this.#available += value.length;
    }
    return true;
  }

  /** The next bytes without taking them: fewer than asked for where no more have come. */
  peek(length: number): Buffer {
    return this.#gather(Math.min(length, this.#available));
  }

  /** Of the bytes that have come. */
  take(length: number): Buffer {
    const bytes = this.peek(length);
    this.#position += bytes.length;
    this.#available -= bytes.length;
    this.#offset += bytes.length;
    for (let [first] = this.#buffered; first && this.#offset >= first.length; [first] = this.#buffered) {
      this.#offset -= first.length;
      this.#buffered.shift();
    }
    return bytes;
  }

  /** Lets go of the stream, also where it has more. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** Copies only what does not lie in one chunk. */
  #gather(length: number): Buffer {
    const [first] = this.#buffered;
    if (first && first.length - this.#offset >= length) return first.subarray(this.#offset, this.#offset + length);
    const parts: Buffer[] = [];
    let missing = length;
    let offset = this.#offset;
    for (const chunk of this.#buffered) {
      if (missing === 0) break;
      const part = chunk.subarray(offset, offset + missing);
      parts.push(part);
      missing -= part.length;
      offset = 0;
    }
    return Buffer.concat(parts, length);
  }
}
