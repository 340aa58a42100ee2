import { DaprMtlsError } from '../errors.ts';
import type { Certificate } from './certificate.ts';
import { DerError, readChildren, readExactly, readTlv, type Tlv, tags } from './der.ts';

/** What judging needs beyond node:crypto. Field by field as Go's crypto/x509 understands it. */
export interface CertificateDetail {
  readonly version: number;
  /** The exact bytes: Go compares names by them. */
  readonly subjectDer: Buffer;
  readonly issuerDer: Buffer;
  readonly spkiDer: Buffer;
  /** The signature algorithm's object identifier. */
  readonly signatureAlgorithm: string;
  readonly basicConstraints:
    | { readonly ca: boolean; readonly pathLength: number | undefined; readonly critical: boolean }
    | undefined;
  readonly keyUsage: readonly KeyUsage[] | undefined;
  /** Object identifiers; undefined where the extension is missing. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  readonly subjectKeyId: Buffer | undefined;
  readonly authorityKeyId: Buffer | undefined;
  readonly subjectAlternativeName: Buffer | undefined;
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
  readonly hasNameConstraints: boolean;
  /** Critical extensions that Go does not handle: any of them makes every chain invalid. */
  readonly unhandledCritical: readonly string[];
}

const keyUsageBits = [
  'digitalSignature',
  'contentCommitment',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
export type KeyUsage = (typeof keyUsageBits)[number];

export const extendedKeyUsages = {
  any: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

interface Extension {
  readonly id: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/**
 * Reads what Go's parseCertificate reads (RFC 5280, section 4.1).
 * @throws DaprMtlsError `trust.unreadable` where Go refuses to parse it
 */
export function readDetail(certificate: Certificate): CertificateDetail {
  try {
    return parseDetail(certificate.der);
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause;
    throw new DaprMtlsError('trust.unreadable', {
      message: `the certificate ${certificate.subject} is malformed: ${cause.message}`,
      hint: 'Go programs such as Sentry and daprd refuse it. Have it issued anew.',
      cause,
    });
  }
}

function parseDetail(der: Buffer): CertificateDetail {
  const [tbs, outerAlgorithm] = readChildren(readExactly(der, tags.sequence).content);
  if (!tbs || !outerAlgorithm) throw new DerError('not a certificate');
  const fields = readChildren(tbs.content);
  const next = (): Tlv => {
    const field = fields.shift();
    if (!field) throw new DerError('a certificate without all its fields');
    return field;
  };
  const version = fields[0]?.tag === 0xa0 ? (readTlv(next().content).content[0] ?? 0) + 1 : 1;
  if (version > 3) throw new DerError(`version ${version}`);
  const serial = next();
  if (serial.tag !== tags.integer || (serial.content[0] ?? 0) >= 0x80) throw new DerError('a negative serial number');
  const algorithm = next();
  if (!Buffer.from(algorithm.raw).equals(outerAlgorithm.raw))
    throw new DerError('inner and outer signature algorithm differ');
  const issuer = next();
  next();
  const subject = next();
  const spki = next();
  const extensions = readExtensions(fields.find((field) => field.tag === 0xa3));
  const contentOf = (id: string) => extensions.find((extension) => extension.id === id)?.value;
  const names = readAlternativeNames(contentOf(ids.subjectAlternativeName));
  return {
    version,
    subjectDer: Buffer.from(subject.raw),
    issuerDer: Buffer.from(issuer.raw),
    spkiDer: Buffer.from(spki.raw),
    signatureAlgorithm: readOid(readTlv(algorithm.content)),
    basicConstraints: readBasicConstraints(extensions),
    keyUsage: readKeyUsage(contentOf(ids.keyUsage)),
    extendedKeyUsage: readExtendedKeyUsage(contentOf(ids.extendedKeyUsage)),
    subjectKeyId: readSubjectKeyId(contentOf(ids.subjectKeyId)),
    authorityKeyId: readAuthorityKeyId(contentOf(ids.authorityKeyId)),
    subjectAlternativeName: bufferOf(contentOf(ids.subjectAlternativeName)),
    ...names,
    hasNameConstraints: contentOf(ids.nameConstraints) !== undefined,
    unhandledCritical: extensions
      .filter((extension) => extension.critical && !handledByGo.has(extension.id))
      .map((extension) => extension.id),
  };
}

const ids = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAlternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

/** processExtensions of Go's crypto/x509 parser, plus distribution points and the policy family. */
const handledByGo = new Set<string>([
  ...Object.values(ids),
  '2.5.29.31',
  '2.5.29.32',
  '2.5.29.33',
  '2.5.29.36',
  '2.5.29.54',
]);

function readExtensions(field: Tlv | undefined): Extension[] {
  if (!field) return [];
  const extensions = readChildren(readExactly(field.content, tags.sequence).content).map((frame): Extension => {
    const [id, second, third] = readChildren(frame.content);
    const value = third ?? second;
    if (!id || !value || value.tag !== tags.octetString) throw new DerError('a malformed extension');
    const critical = third !== undefined && second?.content[0] === 0xff;
    return { id: readOid(id), critical, value: value.content };
  });
  const seen = new Set<string>();
  for (const { id, critical } of extensions) {
    if (seen.has(id)) throw new DerError(`extension ${id} stands there twice`);
    seen.add(id);
    if (id === ids.subjectKeyId && critical) throw new DerError('a critical subject key identifier');
  }
  return extensions;
}

function readBasicConstraints(extensions: readonly Extension[]): CertificateDetail['basicConstraints'] {
  const extension = extensions.find(({ id }) => id === ids.basicConstraints);
  if (!extension) return undefined;
  let ca = false;
  let pathLength: number | undefined;
  for (const field of readChildren(readExactly(extension.value, tags.sequence).content)) {
    if (field.tag === tags.boolean) ca = field.content[0] === 0xff;
    else if (field.tag === tags.integer) pathLength = readSmallInteger(field.content);
  }
  return { ca, pathLength, critical: extension.critical };
}

function readSmallInteger(content: Uint8Array): number {
  if ((content[0] ?? 0x80) >= 0x80 || content.length > 6) throw new DerError('a path length out of range');
  return content.reduce((value, byte) => value * 256 + byte, 0);
}

function readKeyUsage(value: Uint8Array | undefined): readonly KeyUsage[] | undefined {
  if (!value) return undefined;
  const bits = readExactly(value, tags.bitString).content.subarray(1);
  return keyUsageBits.filter((_, index) => ((bits[index >> 3] ?? 0) >> (7 - (index & 7))) & 1);
}

function readExtendedKeyUsage(value: Uint8Array | undefined): string[] | undefined {
  return value && readChildren(readExactly(value, tags.sequence).content).map(readOid);
}

function readSubjectKeyId(value: Uint8Array | undefined): Buffer | undefined {
  return value && Buffer.from(readTlv(value).content);
}

function readAuthorityKeyId(value: Uint8Array | undefined): Buffer | undefined {
  if (!value) return undefined;
  const keyId = readChildren(readTlv(value).content).find((field) => field.tag === 0x80);
  return keyId && Buffer.from(keyId.content);
}

function readAlternativeNames(value: Uint8Array | undefined): { dnsNames: string[]; uris: string[] } {
  const names = value ? readChildren(readExactly(value, tags.sequence).content) : [];
  const ofTag = (tag: number) =>
    names.filter((name) => name.tag === tag).map((name) => Buffer.from(name.content).toString('latin1'));
  return { dnsNames: ofTag(0x82), uris: ofTag(0x86) };
}

function bufferOf(value: Uint8Array | undefined): Buffer | undefined {
  return value && Buffer.from(value);
}

function readOid(tlv: Tlv): string {
  if (tlv.tag !== tags.oid || tlv.content.length === 0) throw new DerError('an object identifier is due');
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of tlv.content) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte & 0x80) continue;
    arcs.push(arc);
    arc = 0;
  }
  const first = arcs.shift() ?? 0;
  const root = Math.min(Math.floor(first / 40), 2);
  return [root, first - root * 40, ...arcs].join('.');
}
