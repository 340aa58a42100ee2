import { notHttp } from './not-http.ts';

export interface AnswerHead {
  readonly status: number;
  readonly headers: Fields;
}

/** By their names in lower case. */
export type Fields = Readonly<Record<string, string>>;

/** Before HTTP/1.1 no answer was announced (RFC 9110, section 15.2). */
const statusLine = /^HTTP\/1\.(?:1 (?=[1-5])|0 (?=[2-5]))(\d{3})(?: [\t -~\x80-\xff]*)?$/;

/** Behind a value no tab, which Node takes for a part of it where it says how long the body is. */
const fieldLine = /^([!#$%&'*+.^`|~\w-]+):[ \t]*(|[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?) *$/;

/**
 * The status and the header fields of an answer, as RFC 9112 (sections 4 and 5) has them and no laxer: a
 * field that is folded, or has a blank before its colon, is refused.
 * @param text up to the empty line, without it
 * @throws Error with a code of `HPE_`
 */
export function readAnswerHead(text: string): AnswerHead {
  const [first = '', ...lines] = text.split('\r\n');
  const status = statusLine.exec(first)?.[1];
  if (status === undefined) throw notHttp('HPE_INVALID_CONSTANT');
  return { status: Number(status), headers: readFields(lines) };
}

/** @param lines without their ends @throws Error with a code of `HPE_` */
export function readFields(lines: readonly string[]): Fields {
  const fields: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const [, name, value] = fieldLine.exec(line) ?? [];
    if (name === undefined || value === undefined) throw notHttp('HPE_INVALID_HEADER_TOKEN');
    const key = name.toLowerCase();
    // A list of values in several lines means the same as in one (RFC 9110, section 5.3).
    fields[key] = key in fields ? `${fields[key]}, ${value}` : value;
  }
  return fields;
}
