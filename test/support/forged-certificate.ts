import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { encodeTlv } from '../../src/pki/der.ts';

/**
 * Certificates that no proper signer would make: every field is what the test says, well formed or
 * not. Only the framing is taken from src/pki; nothing that is judged is made by what judges it.
 */
export interface Forgery {
  readonly subject: Buffer;
  readonly issuer: Buffer;
  /** The key that is certified: a private key, or a public one. */
  readonly key: KeyObject;
  readonly signer: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Absent in the certificate where it is 1. */
  readonly version?: number;
  readonly serial?: Buffer;
  readonly extensions?: readonly Buffer[];
  /** Instead of what `key` and `signer` make by themselves. */
  readonly spki?: Buffer;
  readonly validity?: Buffer;
  readonly signature?: { readonly algorithm: Buffer; readonly sign: (tbs: Buffer) => Buffer };
}

/** The DER of the certificate. */
export function forge(forgery: Forgery): Buffer {
  const { version = 3, serial = Buffer.from([1]), extensions = [] } = forgery;
  const { algorithm, sign: signTbs } = forgery.signature ?? signatureOf(forgery.signer);
  const tbs = sequence(
    ...(version === 1 ? [] : [encodeTlv(0xa0, encodeTlv(0x02, Buffer.from([version - 1])))]),
    encodeTlv(0x02, serial),
    algorithm,
    forgery.issuer,
    forgery.validity ?? sequence(encodeTime(forgery.notBefore), encodeTime(forgery.notAfter)),
    forgery.subject,
    forgery.spki ?? spkiOf(forgery.key),
    ...(extensions.length > 0 ? [encodeTlv(0xa3, sequence(...extensions))] : []),
  );
  return sequence(tbs, algorithm, bitString(signTbs(tbs)));
}

/** A sound root of a P-256 key, valid when the fixtures are, but for what is odd about it. */
export function forgeRoot(oddity: Partial<Forgery> = {}): Buffer {
  const keyId = Buffer.alloc(20, 1);
  return forge({
    subject: commonName('root'),
    issuer: commonName('root'),
    key: rootKey,
    signer: oddity.key ?? rootKey,
    notBefore: new Date('2026-01-01T00:00:00Z'),
    notAfter: new Date('2030-01-01T00:00:00Z'),
    extensions: [basicConstraints(true), keyUsage('keyCertSign'), subjectKeyId(keyId), authorityKeyId(keyId)],
    ...oddity,
  });
}

const rootKey = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;

export function sequence(...contents: Uint8Array[]): Buffer {
  return encodeTlv(0x30, ...contents);
}

export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return encodeTlv(0x03, Buffer.from([unusedBits]), bytes);
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return encodeTlv(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

function base128(arc: number): number[] {
  const groups = [arc & 0x7f];
  for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) groups.unshift((left & 0x7f) | 0x80);
  return groups;
}

export const stringTags = { utf8: 0x0c, printable: 0x13, t61: 0x14, ia5: 0x16, bmp: 0x1e } as const;
export type StringType = keyof typeof stringTags;

export const attributes = { commonName: '2.5.4.3', organization: '2.5.4.10', unit: '2.5.4.11' } as const;

export interface Attribute {
  readonly type: keyof typeof attributes;
  readonly as: StringType;
  readonly value: string | Buffer;
}

/** One RDN for each argument; several attributes in one are a SET in the order given, sorted or not. */
export function name(...rdns: readonly (Attribute | readonly Attribute[])[]): Buffer {
  return sequence(
    ...rdns.map((rdn) => {
      const members = 'type' in rdn ? [rdn] : rdn;
      return encodeTlv(0x31, ...members.map(encodeAttribute));
    }),
  );
}

export function commonName(value: string, as: StringType = 'utf8'): Buffer {
  return name({ type: 'commonName', as, value });
}

function encodeAttribute({ type, as, value }: Attribute): Buffer {
  return sequence(oid(attributes[type]), encodeTlv(stringTags[as], encodeString(value, as)));
}

function encodeString(value: string | Buffer, as: StringType): Buffer {
  if (Buffer.isBuffer(value)) return value;
  if (as === 'bmp') return Buffer.from(value, 'utf16le').swap16();
  return Buffer.from(value, as === 'utf8' ? 'utf8' : 'latin1');
}

export const extensionIds = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAlternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  policyMappings: '2.5.29.33',
  authorityKeyId: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  authorityInformation: '1.3.6.1.5.5.7.1.1',
  unknown: '1.3.6.1.4.1.55555.1',
} as const;

export function extension(id: keyof typeof extensionIds, value: Uint8Array, critical = false): Buffer {
  const flag = critical ? [encodeTlv(0x01, Buffer.from([0xff]))] : [];
  return sequence(oid(extensionIds[id]), ...flag, encodeTlv(0x04, value));
}

export function basicConstraints(ca: boolean, pathLength?: number): Buffer {
  const flag = ca ? [encodeTlv(0x01, Buffer.from([0xff]))] : [];
  const length = pathLength === undefined ? [] : [encodeTlv(0x02, Buffer.from([pathLength]))];
  return extension('basicConstraints', sequence(...flag, ...length), true);
}

const keyUsageBits = { digitalSignature: 0x80, keyCertSign: 0x04, cRLSign: 0x02 } as const;
export type Usage = keyof typeof keyUsageBits;

export function keyUsage(...usages: readonly Usage[]): Buffer {
  const bits = usages.reduce((sum, usage) => sum | keyUsageBits[usage], 0);
  if (bits === 0) return extension('keyUsage', bitString(Buffer.alloc(0)), true);
  const unused = Math.log2(bits & -bits);
  return extension('keyUsage', bitString(Buffer.from([bits]), unused), true);
}

export const purposes = {
  any: '2.5.29.37.0',
  server: '1.3.6.1.5.5.7.3.1',
  client: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  unknown: '1.3.6.1.4.1.55555.2',
} as const;
export type Purpose = keyof typeof purposes;

export function extendedKeyUsage(...named: readonly Purpose[]): Buffer {
  return extension('extendedKeyUsage', sequence(...named.map((purpose) => oid(purposes[purpose]))));
}

export function subjectKeyId(id: Uint8Array): Buffer {
  return extension('subjectKeyId', encodeTlv(0x04, id));
}

export function authorityKeyId(id: Uint8Array): Buffer {
  return extension('authorityKeyId', sequence(encodeTlv(0x80, id)));
}

const alternativeNameTags = { email: 0x81, dns: 0x82, directory: 0xa4, uri: 0x86, ip: 0x87 } as const;

export function alternativeName(
  kind: keyof typeof alternativeNameTags,
  value: string | Uint8Array,
  critical = false,
): Buffer {
  const content = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
  return extension('subjectAlternativeName', sequence(encodeTlv(alternativeNameTags[kind], content)), critical);
}

/** UTCTime up to 2049, then GeneralizedTime (RFC 5280, section 4.1.2.5). */
function encodeTime(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '');
  return date.getUTCFullYear() < 2050
    ? encodeTlv(0x17, Buffer.from(digits.slice(2)))
    : encodeTlv(0x18, Buffer.from(digits));
}

export function spkiOf(key: KeyObject): Buffer {
  const known = exported.get(key);
  if (known) return known;
  const spki = (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' });
  exported.set(key, spki);
  return spki;
}

/** OpenSSL takes its time to export a key, and worlds share few of them. */
const exported = new WeakMap<KeyObject, Buffer>();

const null_ = Buffer.from([0x05, 0x00]);

export const signatureAlgorithms = {
  sha1WithRsa: sequence(oid('1.2.840.113549.1.1.5'), null_),
  sha256WithRsa: sequence(oid('1.2.840.113549.1.1.11'), null_),
  ecdsaWithSha1: sequence(oid('1.2.840.10045.4.1')),
  ecdsaWithSha256: sequence(oid('1.2.840.10045.4.3.2')),
  ecdsaWithSha384: sequence(oid('1.2.840.10045.4.3.3')),
  ed25519: sequence(oid('1.3.101.112')),
} as const;

function signatureOf(key: KeyObject): { algorithm: Buffer; sign: (tbs: Buffer) => Buffer } {
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return { algorithm: signatureAlgorithms.ed25519, sign: (tbs) => sign(null, tbs, key) };
    case 'rsa':
      return { algorithm: signatureAlgorithms.sha256WithRsa, sign: (tbs) => sign('sha256', tbs, key) };
    case 'ec':
      return key.asymmetricKeyDetails?.namedCurve === 'secp384r1'
        ? { algorithm: signatureAlgorithms.ecdsaWithSha384, sign: (tbs) => sign('sha384', tbs, key) }
        : { algorithm: signatureAlgorithms.ecdsaWithSha256, sign: (tbs) => sign('sha256', tbs, key) };
    default:
      throw new Error(`a ${key.asymmetricKeyType} key signs no certificate here`);
  }
}
