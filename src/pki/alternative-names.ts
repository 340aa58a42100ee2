import { DerError, readSequence, readTlv } from './der.ts';

const tagsOfNames = { email: 0x81, dns: 0x82, uri: 0x86, ip: 0x87 } as const;

export interface AlternativeNames {
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
  /** Whether there is one that Go reads; a critical extension of other names is one it cannot handle. */
  readonly hasKnownName: boolean;
}

/**
 * What stands in a subjectAltName (RFC 5280, section 4.2.1.6), refused where Go's `parseSANExtension`
 * refuses it; of URIs only the plain ones are taken.
 * @throws DerError
 */
export function readAlternativeNames(value: Uint8Array | undefined): AlternativeNames {
  const names = value ? readSequence(readTlv(value)) : [];
  const ofKind = (kind: keyof typeof tagsOfNames) =>
    names.filter(({ tag }) => tag === tagsOfNames[kind]).map(({ content }) => Buffer.from(content).toString('latin1'));
  const [emails, dnsNames, uris, addresses] = [ofKind('email'), ofKind('dns'), ofKind('uri'), ofKind('ip')];
  if ([...emails, ...dnsNames].some((name) => !isAscii(name))) throw new DerError('an alternative name beyond ASCII');
  if (uris.some((uri) => !isPlainUri(uri))) throw new DerError('an alternative name that is no URI');
  if (addresses.some(({ length }) => length !== 4 && length !== 16)) throw new DerError('a malformed IP address');
  return { dnsNames, uris, hasKnownName: [emails, dnsNames, uris, addresses].some(({ length }) => length > 0) };
}

function isAscii(text: string): boolean {
  return /^[\x00-\x7f]*$/.test(text);
}

/** A scheme, no character that needs an escape, and an authority that is a plain host or none. */
function isPlainUri(uri: string): boolean {
  const [start, authority = ''] = /^[a-z][a-z0-9+.-]*:(?:\/\/([^/?#]*))?/i.exec(uri) ?? [];
  if (start === undefined || !/^(?:[\w.~!$&'()*+,;=:@/?#-]|%[0-9a-f]{2})*$/i.test(uri)) return false;
  return authority === '' || /^[\w-]+(?:\.[\w-]+)*(?::\d+)?$/.test(authority);
}
