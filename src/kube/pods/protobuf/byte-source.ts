/** The bytes of a stream, taken in the lengths that its messages announce. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Buffer>;
  #buffered: Buffer[] = [];
  #available = 0;
  #position = 0;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** How many bytes have been taken. */
  get position(): number {
    return this.#position;
  }

  /** The next bytes without taking them: fewer than asked for only where the stream ends. */
  async peek(length: number): Promise<Buffer> {
    while (this.#available < length && (await this.#pull()));
    return this.#gather(Math.min(length, this.#available));
  }

  /** Undefined where the stream ends before. Holds so many bytes in memory: the caller bounds them. */
  async take(length: number): Promise<Buffer | undefined> {
    while (this.#available < length) if (!(await this.#pull())) return undefined;
    const bytes = this.#gather(length);
    this.#drop(length);
    return bytes;
  }

  /** False where the stream ends before. Holds one chunk at a time. */
  async skip(length: number): Promise<boolean> {
    let left = length;
    while (this.#available < left) {
      left -= this.#available;
      this.#drop(this.#available);
      if (!(await this.#pull())) return false;
    }
    this.#drop(left);
    return true;
  }

  /** Lets go of the stream, also where it has more. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #pull(): Promise<boolean> {
    const { done, value } = await this.#chunks.next();
    if (done) return false;
    this.#buffered.push(value);
    this.#available += value.length;
    return true;
  }

  /** Copies only what does not lie in one chunk. */
  #gather(length: number): Buffer {
    const [first] = this.#buffered;
    if (first && first.length >= length) return first.subarray(0, length);
    const parts: Buffer[] = [];
    let missing = length;
    for (const chunk of this.#buffered) {
      if (missing === 0) break;
      parts.push(chunk.subarray(0, missing));
      missing -= Math.min(missing, chunk.length);
    }
    return Buffer.concat(parts, length);
  }

  #drop(length: number): void {
    this.#position += length;
    this.#available -= length;
    let left = length;
    let whole = 0;
    for (const chunk of this.#buffered) {
      if (chunk.length > left) {
        this.#buffered[whole] = chunk.subarray(left);
        break;
      }
      left -= chunk.length;
      whole += 1;
    }
    this.#buffered.splice(0, whole);
  }
}
