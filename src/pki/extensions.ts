import { readAlternativeNames } from './alternative-names.ts';
import {
  assertTag,
  DerError,
  readBits,
  readChildren,
  readExactly,
  readOid,
  readSequence,
  readTlv,
  type Tlv,
  tags,
} from './der.ts';
import { assertName } from './names.ts';
import { assertPublicKey } from './public-key.ts';
import { readTime } from './times.ts';

/** What judging needs beyond node:crypto. Field by field as Go's crypto/x509 understands it. */
export interface CertificateDetail {
  readonly version: number;
  /** The exact bytes: Go compares names by them. */
  readonly subjectDer: Buffer;
  readonly issuerDer: Buffer;
  readonly spkiDer: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** The signature algorithm's object identifier, and its exact bytes with the parameters. */
  readonly signatureAlgorithm: string;
  readonly signatureAlgorithmDer: Buffer;
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
  /** What Go would weigh and this program does not: chains that hold it are refused. */
  readonly unweighed: readonly ('name constraints' | 'policies')[];
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
 * Reads what Go's parseCertificate reads (RFC 5280, section 4.1), and refuses what it refuses.
 * @throws DerError
 */
export function parseDetail(der: Buffer): CertificateDetail {
  const [tbs, outerAlgorithm, signature] = readSequence(readExactly(der, tags.sequence));
  readBits(signature);
  const fields = readSequence(tbs);
  const version = fields[0]?.tag === 0xa0 ? readVersion(fields.shift()) : 1;
  const [serial, algorithm, issuer, validity, subject, spki, ...rest] = fields;
  if ((assertTag(serial, tags.integer).content[0] ?? 0) >= 0x80) throw new DerError('a negative serial number');
  const [algorithmId] = readSequence(algorithm);
  if (!sliceOf(algorithm).equals(sliceOf(outerAlgorithm)))
    throw new DerError('inner and outer signature algorithm differ');
  assertName(issuer);
  const [notBefore, notAfter] = readSequence(validity);
  assertName(subject);
  assertPublicKey(spki);
  // Go passes over the extensions of older versions.
  const extensions = version === 3 ? readExtensions(rest.find(({ tag }) => tag === 0xa3)) : [];
  return {
    version,
    subjectDer: sliceOf(subject),
    issuerDer: sliceOf(issuer),
    spkiDer: sliceOf(spki),
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    signatureAlgorithm: readOid(algorithmId),
    signatureAlgorithmDer: sliceOf(algorithm),
    ...readKnownExtensions(extensions),
  };
}

function readVersion(field: Tlv | undefined): number {
  const [number] = readChildren(field?.content ?? new Uint8Array());
  const { content } = assertTag(number, tags.integer);
  const [value = 0] = content;
  if (content.length !== 1 || value > 2) throw new DerError('a version that is none');
  return value + 1;
}

function sliceOf(tlv: Tlv | undefined): Buffer {
  return Buffer.from(tlv?.raw ?? []);
}

const ids = {
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
} as const;

/** processExtensions of Go's crypto/x509 parser: these, distribution points and the policy family. */
const handledByGo = new Set<string>([...Object.values(ids), '2.5.29.31', '2.5.29.32', '2.5.29.54']);

/** Go refuses to parse a certificate in which one of these is critical. */
const neverCritical = new Set<string>([ids.subjectKeyId, ids.authorityKeyId, ids.authorityInformation]);

function readExtensions(field: Tlv | undefined): Extension[] {
  if (!field) return [];
  const extensions = readSequence(readExactly(field.content, tags.sequence)).map((frame): Extension => {
    const [id, second, third] = readSequence(frame);
    const flag = third && assertTag(second, tags.boolean);
    const value = assertTag(third ?? second, tags.octetString).content;
    return { id: readOid(id), critical: flag?.content[0] === 0xff, value };
  });
  const seen = new Set<string>();
  for (const { id, critical } of extensions) {
    if (seen.has(id)) throw new DerError(`extension ${id} stands there twice`);
    seen.add(id);
    if (critical && neverCritical.has(id)) throw new DerError(`extension ${id} is critical`);
  }
  return extensions;
}

function readKnownExtensions(extensions: readonly Extension[]) {
  const contentOf = (id: string) => extensions.find((extension) => extension.id === id)?.value;
  const alternativeNames = contentOf(ids.subjectAlternativeName);
  const names = readAlternativeNames(alternativeNames);
  const isHandled = ({ id }: Extension) =>
    handledByGo.has(id) && (id !== ids.subjectAlternativeName || names.hasKnownName);
  return {
    basicConstraints: readBasicConstraints(extensions.find(({ id }) => id === ids.basicConstraints)),
    keyUsage: readKeyUsage(contentOf(ids.keyUsage)),
    extendedKeyUsage: readExtendedKeyUsage(contentOf(ids.extendedKeyUsage)),
    subjectKeyId: readSubjectKeyId(contentOf(ids.subjectKeyId)),
    authorityKeyId: readAuthorityKeyId(contentOf(ids.authorityKeyId)),
    subjectAlternativeName: alternativeNames && Buffer.from(alternativeNames),
    dnsNames: names.dnsNames,
    uris: names.uris,
    unweighed: [
      ...(contentOf(ids.nameConstraints) ? (['name constraints'] as const) : []),
      ...(contentOf(ids.policyConstraints) || contentOf(ids.policyMappings) ? (['policies'] as const) : []),
    ],
    unhandledCritical: extensions.filter((one) => one.critical && !isHandled(one)).map(({ id }) => id),
  };
}

function readBasicConstraints(extension: Extension | undefined): CertificateDetail['basicConstraints'] {
  if (!extension) return undefined;
  const fields = readSequence(readTlv(extension.value));
  const flag = fields[0]?.tag === tags.boolean ? fields.shift() : undefined;
  const [length] = fields;
  return {
    ca: flag?.content[0] === 0xff,
    pathLength: length?.tag === tags.integer ? readSmallInteger(length.content) : undefined,
    critical: extension.critical,
  };
}

function readSmallInteger(content: Uint8Array): number {
  if ((content[0] ?? 0x80) >= 0x80 || content.length > 6) throw new DerError('a path length out of range');
  return content.reduce((value, byte) => value * 256 + byte, 0);
}

function readKeyUsage(value: Uint8Array | undefined): readonly KeyUsage[] | undefined {
  if (!value) return undefined;
  const bits = readBits(readTlv(value));
  return keyUsageBits.filter((_, index) => ((bits[index >> 3] ?? 0) >> (7 - (index & 7))) & 1);
}

function readExtendedKeyUsage(value: Uint8Array | undefined): string[] | undefined {
  return value && readSequence(readTlv(value)).map(readOid);
}

function readSubjectKeyId(value: Uint8Array | undefined): Buffer | undefined {
  return value && Buffer.from(assertTag(readTlv(value), tags.octetString).content);
}

/** The key identifier stands first, or nowhere. */
function readAuthorityKeyId(value: Uint8Array | undefined): Buffer | undefined {
  if (!value) return undefined;
  const [keyId] = readSequence(readTlv(value));
  return keyId?.tag === 0x80 ? Buffer.from(keyId.content) : undefined;
}
