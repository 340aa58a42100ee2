import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject, sign, verify } from 'node:crypto';
import {
  assertDer,
  assertTag,
  DerError,
  readChildren,
  readExactly,
  readOid,
  readSequence,
  readTlv,
  type Tlv,
  tags,
} from './der.ts';

const readers: Record<string, { readonly type: 'pkcs8' | 'sec1' | 'pkcs1'; assert: (der: Uint8Array) => void }> = {
  'PRIVATE KEY': { type: 'pkcs8', assert: assertPkcs8 },
  'EC PRIVATE KEY': { type: 'sec1', assert: assertSec1 },
  'RSA PRIVATE KEY': { type: 'pkcs1', assert: assertPkcs1 },
};

/** The labels under which a key in clear is read, by us and by Sentry. */
export const plainKeyLabels: readonly string[] = Object.keys(readers);

/**
 * Reads a key in clear as Go does. OpenSSL is too kind: it takes one form under the label of another,
 * versions that do not exist, and an EC key whose private half was damaged, because the public half
 * beside it is still the right one. Such a key signs what nobody can verify.
 * @throws Error whose words are OpenSSL's and not for people
 */
export function parsePrivateKey(label: string, der: Buffer): KeyObject {
  const reader = readers[label];
  if (!reader) throw new DerError(`no key is called ${label}`);
  // Go passes over what stands behind a key, save behind PKCS#1.
  const exact = reader.type === 'pkcs1' ? der : Buffer.from(readTlv(der).raw);
  reader.assert(exact);
  const key = createPrivateKey({ key: exact, format: 'der', type: reader.type });
  if (!isConsistent(key)) throw new DerError('the private half does not belong to the public one');
  return key;
}

/** RFC 5958, without attributes. */
function assertPkcs8(der: Uint8Array): void {
  const [version, algorithm, content] = readFields(der);
  assertVersion(version, 0);
  const [id, parameters] = readSequence(algorithm);
  const key = assertTag(content, tags.octetString).content;
  switch (readOid(id)) {
    case '1.2.840.113549.1.1.1':
      assertPkcs1(key);
      break;
    case '1.2.840.10045.2.1':
      readOid(parameters);
      assertSec1(key);
      break;
    case '1.3.101.112':
      if (parameters) throw new DerError('an Ed25519 key with parameters');
      readExactly(key, tags.octetString);
      break;
  }
}

/** RFC 5915. */
function assertSec1(der: Uint8Array): void {
  const [version, key] = readFields(der);
  assertVersion(version, 1);
  assertTag(key, tags.octetString);
}

/** RFC 8017, appendix A.1.2; two primes. */
function assertPkcs1(der: Uint8Array): void {
  const [version, ...numbers] = readFields(der);
  assertVersion(version, 0);
  if (numbers.length !== 8) throw new DerError('an RSA key without all its numbers');
  for (const number of numbers) assertTag(number, tags.integer);
}

function readFields(der: Uint8Array): Tlv[] {
  assertDer(der);
  return readChildren(readExactly(der, tags.sequence).content);
}

function assertVersion(tlv: Tlv | undefined, due: number): void {
  const { content } = assertTag(tlv, tags.integer);
  if (content.length !== 1 || content[0] !== due) throw new DerError('an unknown version');
}

/** Whether the two halves of a key belong together; true for kinds that do not sign. */
export function isConsistent(key: KeyObject): boolean {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return isRsaConsistent(key.export({ format: 'jwk' }));
    case 'ec':
      return verifiesItself(key, 'sha256');
    case 'ed25519':
      return verifiesItself(key, null);
    default:
      return true;
  }
}

function verifiesItself(key: KeyObject, digest: 'sha256' | null): boolean {
  const message = Buffer.from('signed and verified');
  try {
    return verify(digest, message, createPublicKey(key), sign(digest, message, key));
  } catch {
    return false;
  }
}

/** What Go's rsa.PrivateKey.Validate asks. OpenSSL passes over wrong numbers of the Chinese remainder. */
function isRsaConsistent(jwk: JsonWebKey): boolean {
  const { n, e, d, p, q, dp, dq, qi } = integersOf(jwk);
  const fits = (prime: bigint, exponent: bigint) => exponent === d % (prime - 1n) && (e * d) % (prime - 1n) === 1n;
  return p > 1n && q > 1n && p * q === n && fits(p, dp) && fits(q, dq) && (qi * q) % p === 1n;
}

function integersOf(jwk: JsonWebKey): Record<'n' | 'e' | 'd' | 'p' | 'q' | 'dp' | 'dq' | 'qi', bigint> {
  const read = (text: string | undefined) => BigInt(`0x0${Buffer.from(text ?? '', 'base64url').toString('hex')}`);
  const { n, e, d, p, q, dp, dq, qi } = jwk;
  return { n: read(n), e: read(e), d: read(d), p: read(p), q: read(q), dp: read(dp), dq: read(dq), qi: read(qi) };
}
