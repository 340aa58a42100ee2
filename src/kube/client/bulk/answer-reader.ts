import { type AnswerHead, readAnswerHead } from './answer-head.ts';
import { type Framing, framingOf, type TellPart } from './framing.ts';
import { notHttp } from './not-http.ts';

/** Node's own limit is 16 KiB; some proxies set long cookies. */
const longestHead = 64 * 1024;

/** One answer, taken from the bytes of a connection as they come. */
export class AnswerReader {
  readonly #tellHead: (head: AnswerHead) => void;
  #text = '';
  #framing: Framing | undefined;

  constructor(tellHead: (head: AnswerHead) => void) {
    this.#tellHead = tellHead;
  }

  /** Whether all of it has come. What comes behind it belongs to nobody. */
  get isDone(): boolean {
    return this.#framing?.isDone ?? false;
  }

  /** Whether it is whole where nothing more comes. */
  get endsHere(): boolean {
    return this.#framing !== undefined && (this.#framing.isDone || this.#framing.endsWithConnection);
  }

  /** @param tell of a part of the body @throws Error with a code of `HPE_` for what is no answer */
  take(bytes: Buffer, length: number, tell: TellPart): void {
    const start = this.#framing ? 0 : this.#takeHead(bytes, length);
    if (start < length) this.#framing?.take(bytes, start, length, tell);
  }

  /** @returns where the body begins */
  #takeHead(bytes: Buffer, length: number): number {
    // What was looked at before holds no end, or only the first three characters of one.
    let from = Math.max(0, this.#text.length - 3);
    this.#text += bytes.toString('latin1', 0, length);
    while (!this.#framing) {
      const end = this.#text.indexOf('\r\n\r\n', from);
      const headLength = end < 0 ? this.#text.length : end;
      assertBegins(this.#text);
      assertLineEnds(this.#text, from, headLength);
      if (headLength > longestHead) throw notHttp('HPE_HEADER_OVERFLOW');
      if (end < 0) return length;
      const head = readAnswerHead(this.#text.slice(0, end));
      this.#text = this.#text.slice(end + 4);
      from = 0;
      if (head.status < 200) {
        assertAnnounces(head);
        continue;
      }
      this.#framing = framingOf(head);
      this.#tellHead(head);
    }
    return length - this.#text.length;
  }
}

/** What speaks otherwise may wait for us to speak on: it is known by its first bytes. */
function assertBegins(text: string): void {
  const begin = 'HTTP/1.';
  if (!begin.startsWith(text.slice(0, begin.length))) throw notHttp('HPE_INVALID_CONSTANT');
}

/**
 * All below 200 announces an answer (RFC 9110, section 15.2), but for another protocol, which nobody asked for.
 * It has no body, and behind it the connection goes on.
 */
function assertAnnounces({ status, headers }: AnswerHead): void {
  if (status === 101) throw notHttp('HPE_INVALID_STATUS');
  if ('content-length' in headers || 'transfer-encoding' in headers) throw notHttp('HPE_UNEXPECTED_CONTENT_LENGTH');
  if (/close/i.test(headers.connection ?? '')) throw notHttp('HPE_CLOSED_CONNECTION');
}

/** A line feed alone ends a line to some readers, and to others not. */
function assertLineEnds(text: string, from: number, end: number): void {
  for (let at = text.indexOf('\n', from); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) {
    if (text[at - 1] !== '\r') throw notHttp('HPE_CR_EXPECTED');
  }
}
