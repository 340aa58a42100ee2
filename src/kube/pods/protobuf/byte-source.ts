/**
 * The bytes of a stream, taken in the lengths that its messages announce, and read where they came to
 * lie: 10,000 pods are 100 MB, and a view of each of their parts would cost as much as reading them.
 */
export class ByteSource {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #giveBack: (chunk: Buffer) => void;
  #bytes: Buffer = Buffer.alloc(0);
  #start = 0;
  /** That `bytes` are; undefined where they are a copy. */
  #chunk: Buffer | undefined;
  /** Those behind `bytes`, and how much of the first one has been copied into them. */
  readonly #waiting: Buffer[] = [];
  #copied = 0;
  #available = 0;
  #position = 0;

  /** @param giveBack told of each chunk once all of it has been taken, or copied */
  constructor(chunks: AsyncIterable<Buffer>, giveBack: (chunk: Buffer) => void = () => undefined) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#giveBack = giveBack;
  }

  /** How many bytes have been taken. */
  get position(): number {
    return this.#position;
  }

  /** Where the next bytes lie, as many as were last joined: from `start` on. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  get start(): number {
    return this.#start;
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
      this.#waiting.push(value);
      this.#available += value.length;
    }
    return true;
  }

  /** Has the next bytes lie in one piece; copies only what does not. @returns how many: fewer where no more have come */
  join(length: number): number {
    const joined = Math.min(length, this.#available);
    while (this.#start === this.#bytes.length && this.#waiting.length > 0) {
      this.#lookAt(this.#waiting.shift() as Buffer, this.#copied);
      this.#chunk = this.#bytes;
      this.#copied = 0;
    }
    if (this.#bytes.length - this.#start < joined) this.#unite(joined);
    return joined;
  }

  /** Takes bytes that have been joined. */
  skip(length: number): void {
    this.#start += length;
    this.#position += length;
    this.#available -= length;
  }

  /** Lets go of the stream, also where it has more. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** The rest of one chunk, and no more than is missing of those behind it. */
  #unite(length: number): void {
    const rest = this.#bytes.subarray(this.#start);
    const parts = [rest];
    const emptied: Buffer[] = [];
    for (let missing = length - rest.length; missing > 0; ) {
      const next = this.#waiting[0] as Buffer;
      const part = next.subarray(this.#copied, this.#copied + missing);
      parts.push(part);
      missing -= part.length;
      this.#copied += part.length;
      if (this.#copied < next.length) continue;
      this.#waiting.shift();
      emptied.push(next);
      this.#copied = 0;
    }
    this.#lookAt(Buffer.concat(parts, length), 0);
    for (const chunk of emptied) this.#giveBack(chunk);
  }

  /** Instead of what has been taken, or copied. */
  #lookAt(bytes: Buffer, start: number): void {
    if (this.#chunk) this.#giveBack(this.#chunk);
    this.#chunk = undefined;
    this.#bytes = bytes;
    this.#start = start;
  }
}
