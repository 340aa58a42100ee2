import { expect, test } from 'vitest';
import { readAlternativeNames } from '../../src/pki/alternative-names.ts';
import { encodeTlv } from '../../src/pki/der.ts';
import { commonName, sequence } from '../support/forged-certificate.ts';

const [email, dns, directory, uri, ip] = [0x81, 0x82, 0xa4, 0x86, 0x87];
const names = (...pairs: readonly (readonly [number, string | Buffer])[]) =>
  sequence(
    ...pairs.map(([tag, value]) => encodeTlv(tag, typeof value === 'string' ? Buffer.from(value, 'latin1') : value)),
  );

test('names are read by their kind', () => {
  const value = names([dns, 'a'], [uri, 'spiffe://b/c'], [dns, ''], [email, 'd@e'], [ip, Buffer.alloc(4)]);
  expect(readAlternativeNames(value)).toEqual({ dnsNames: ['a', ''], uris: ['spiffe://b/c'], hasKnownName: true });
  expect(readAlternativeNames(undefined)).toEqual({ dnsNames: [], uris: [], hasKnownName: false });
});

test.each([
  'spiffe://cluster.local/ns/default/dapr-sentry',
  'spiffe://my_cluster/a%20b',
  'https://example.org:8443/path?query#fragment',
  'urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66',
  'ldap:///cn=a,dc=b?c',
  'mailto:a@b',
])('%s is a URI', (text) => {
  expect(readAlternativeNames(names([uri, text])).uris).toEqual([text]);
});

test.each([
  '',
  'no scheme',
  '/path',
  '1a:b',
  'a://b c',
  'a://b/%zz',
  'a://b../c',
  'a://.b',
  'a://b:port/',
  'a://[::1]/',
  'a://u@h/',
  'a:\x07',
  'a://\xe9',
])('"%s" is refused as a URI', (text) => {
  expect(() => readAlternativeNames(names([uri, text]))).toThrow('no URI');
});

test.each([
  ['a DNS name beyond ASCII', names([dns, '\xe9'])],
  ['an email address beyond ASCII', names([email, '\xe9@b'])],
  ['an address of five bytes', names([ip, Buffer.alloc(5)])],
  ['something that is no sequence', encodeTlv(0x04)],
])('%s is refused', (_, value) => {
  expect(() => readAlternativeNames(value)).toThrow();
});

test('a directory name alone is nothing that Go knows', () => {
  expect(readAlternativeNames(names([directory, commonName('a')])).hasKnownName).toBe(false);
});
