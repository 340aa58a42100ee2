import { DaprMtlsError } from '../../errors.ts';

/** What no header may hold: a line break would begin another one (RFC 9110, section 5.5). */
const forbidden = /[^\t\x20-\x7e\x80-\u{10ffff}]/u;

/**
 * A text as the value of a header. Go sends it in UTF-8, and Node each character as one byte.
 * @param what is told where it cannot be one; the text itself may be secret, and is not
 * @throws DaprMtlsError `cluster.credentials`
 */
export function toHeaderValue(text: string, what: string): string {
  if (forbidden.test(text)) {
    throw new DaprMtlsError('cluster.credentials', {
      message: `${what} holds a line break or another character that cannot be sent`,
      hint: 'It has to be one line of text: write it anew in the kubeconfig, or have whoever gives it mended.',
    });
  }
  return Buffer.from(text).toString('latin1');
}
