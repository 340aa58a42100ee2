import { type AnswerHead, readFields } from './answer-head.ts';
import { notHttp } from './not-http.ts';

/** Tells of a part of the body where it lies. */
export type TellPart = (start: number, end: number) => void;

/** How the end of a body is known. */
export interface Framing {
  /** Takes the bytes from `start` to `end`. @throws Error with a code of `HPE_` for what is framed otherwise */
  take(bytes: Buffer, start: number, end: number, tell: TellPart): void;
  /** Whether the body is whole. */
  readonly isDone: boolean;
  /** Whether it is where the server has closed the connection. */
  readonly endsWithConnection: boolean;
}

/**
 * RFC 9112, section 6.3. Who names a length and chunks has a second answer in mind, and is refused.
 * @throws Error with a code of `HPE_`
 */
export function framingOf({ status, headers }: AnswerHead): Framing {
  const { 'transfer-encoding': coding, 'content-length': length } = headers;
  if (status === 204 || status === 304) return new SizedFraming(0);
  if (coding !== undefined) {
    if (length !== undefined) throw notHttp('HPE_UNEXPECTED_CONTENT_LENGTH');
    if (coding.toLowerCase() !== 'chunked') throw notHttp('HPE_INVALID_TRANSFER_ENCODING');
    return new ChunkedFraming();
  }
  if (length === undefined) return new OpenFraming();
  if (!/^\d{1,15}$/.test(length)) throw notHttp('HPE_INVALID_CONTENT_LENGTH');
  return new SizedFraming(Number(length));
}

class OpenFraming implements Framing {
  readonly isDone = false;
  readonly endsWithConnection = true;

  take(_bytes: Buffer, start: number, end: number, tell: TellPart): void {
    tell(start, end);
  }
}

class SizedFraming implements Framing {
  readonly endsWithConnection = false;
  #left: number;

  constructor(length: number) {
    this.#left = length;
  }

  get isDone(): boolean {
    return this.#left === 0;
  }

  take(_bytes: Buffer, start: number, end: number, tell: TellPart): void {
    const stop = Math.min(end, start + this.#left);
    this.#left -= stop - start;
    if (stop > start) tell(start, stop);
  }
}

/** No more hexadecimal digits than are exact as a number; extensions as Node takes them, without blanks. */
const sizeLine = /^([0-9a-f]{1,13})(?:;[!#$%&'*+.^`|~\w-]+(?:=(?:[!#$%&'*+.^`|~\w-]+|"[\t !#-[\]-~\x80-\xff]*"))?)*$/i;

/** Of a line, and of all the lines behind the last chunk, which tell nothing. */
const longestLines = 16 * 1024;

/** RFC 9112, section 7.1: all but the data is lines. */
class ChunkedFraming implements Framing {
  readonly endsWithConnection = false;
  #expects: 'size' | 'data' | 'end of data' | 'trailer' | 'nothing' = 'size';
  /** Of the chunk's data. */
  #left = 0;
  #line = '';
  #trailerLength = 0;

  get isDone(): boolean {
    return this.#expects === 'nothing';
  }

  take(bytes: Buffer, start: number, end: number, tell: TellPart): void {
    let at = start;
    while (at < end && this.#expects !== 'nothing') {
      if (this.#expects === 'data') {
        const stop = Math.min(end, at + this.#left);
        tell(at, stop);
        this.#left -= stop - at;
        if (this.#left === 0) this.#expects = 'end of data';
        at = stop;
      } else this.#takeOfLine(bytes[at++] as number);
    }
  }

  #takeOfLine(byte: number): void {
    this.#line += String.fromCharCode(byte);
    if (this.#line.length > longestLines) throw notHttp('HPE_HEADER_OVERFLOW');
    if (byte !== lineFeed) return;
    if (!this.#line.endsWith('\r\n')) throw notHttp('HPE_CR_EXPECTED');
    const line = this.#line.slice(0, -2);
    this.#line = '';
    this.#readLine(line);
  }

  #readLine(line: string): void {
    if (this.#expects === 'size') {
      const size = sizeLine.exec(line)?.[1];
      if (size === undefined) throw notHttp('HPE_INVALID_CHUNK_SIZE');
      this.#left = Number.parseInt(size, 16);
      this.#expects = this.#left === 0 ? 'trailer' : 'data';
    } else if (this.#expects === 'end of data') {
      if (line !== '') throw notHttp('HPE_STRICT');
      this.#expects = 'size';
    } else if (line === '') this.#expects = 'nothing';
    else this.#readTrailer(line);
  }

  #readTrailer(line: string): void {
    this.#trailerLength += line.length;
    if (this.#trailerLength > longestLines) throw notHttp('HPE_HEADER_OVERFLOW');
    const { 'content-length': length, 'transfer-encoding': coding } = readFields([line]);
    // Too late for another framing (RFC 9110, section 6.5.1).
    if (length !== undefined || coding !== undefined) throw notHttp('HPE_UNEXPECTED_CONTENT_LENGTH');
  }
}

const lineFeed = 10;
