import { belongsTo } from '../pki/bundle.ts';
import { type Certificate, describeKeyAlgorithm, isSelfSigned, isSignedBy } from '../pki/certificate.ts';
import { type CertificateDetail, extendedKeyUsages } from '../pki/extensions.ts';
import { isEncrypted, isPrivateKey } from '../pki/keys.ts';
import { type CertificateFile, certificatesOf, type KeyFile } from '../pki/reading.ts';
import {
  assignRoles,
  type CertificateReport,
  type CertificateRole,
  type Document,
  defaultWarnBeforeMs,
  describeCertificate,
  document,
  formatInstant,
} from './report.ts';

export interface InspectedCertificate extends Omit<CertificateReport, 'role'> {
  /** `certificate` where nothing tells what it is for. */
  readonly role: CertificateRole | 'certificate';
  readonly line: number;
  readonly selfSigned: boolean;
  /** Fingerprints of the certificates shown here whose key signed it; its own left out. */
  readonly signedBy: readonly string[];
  /** False where Sentry and daprd do not get as far as this block. */
  readonly seenBySentry: boolean;
  readonly certificateAuthority: boolean;
  readonly pathLength: number | null;
  readonly keyUsage: readonly string[];
  readonly extendedKeyUsage: readonly string[];
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
  readonly subjectKeyId: string | null;
  readonly authorityKeyId: string | null;
}

export interface InspectedKey {
  readonly file: string;
  readonly line: number;
  readonly encrypted: boolean;
  /** Null where it cannot be read, as an encrypted one. */
  readonly algorithm: string | null;
  /** Fingerprints of the certificates shown here that it belongs to. */
  readonly belongsTo: readonly string[];
}

export interface InspectReport extends Document<'Inspect'> {
  readonly source: { readonly kind: 'directory' | 'cluster' | 'file' | 'stdin'; readonly name: string };
  readonly at: string;
  readonly certificates: readonly InspectedCertificate[];
  readonly keys: readonly InspectedKey[];
  readonly problems: readonly { readonly file: string; readonly line: number; readonly message: string }[];
}

/** Files as they were found; the key's secret part goes nowhere. */
export interface InspectInput {
  readonly source: InspectReport['source'];
  readonly certificateFiles: readonly { readonly name: string; readonly file: CertificateFile }[];
  readonly keyFiles: readonly { readonly name: string; readonly file: KeyFile }[];
  readonly at: Date;
  /** From when on an end is near; 30 days where it is left out. */
  readonly warnBeforeMs?: number;
}

/** Every certificate in full, whoever signed it, and every key by what it belongs to. Pure. */
export function inspect(input: InspectInput): InspectReport {
  const { source, certificateFiles, keyFiles, at, warnBeforeMs = defaultWarnBeforeMs } = input;
  const all = certificateFiles.flatMap(({ file }) => certificatesOf(file));
  const roleOf = assignKnownRoles(source.kind, certificateFiles);
  const certificates = certificateFiles.flatMap(({ name, file }) =>
    file.entries.flatMap(({ certificate, line, seenByGo }) =>
      certificate
        ? [describe(certificate, { name, line, seenByGo, role: roleOf(certificate), all, at, warnBeforeMs })]
        : [],
    ),
  );
  return document('Inspect', {
    source,
    at: formatInstant(at),
    certificates,
    keys: keyFiles.flatMap(({ name, file }) => describeKeys(name, file, all)),
    problems: certificateFiles.flatMap(({ name, file }) => describeProblems(name, file)),
  });
}

function assignKnownRoles(kind: InspectReport['source']['kind'], files: InspectInput['certificateFiles']) {
  if (kind !== 'directory' && kind !== 'cluster') return () => 'certificate' as const;
  const part = (wanted: CertificateFile['part']) => files.find(({ file }) => file.part === wanted)?.file;
  const { members } = assignRoles({ anchors: part('anchors'), issuerChain: part('issuerChain') });
  return (certificate: Certificate) =>
    members.find((member) => member.certificate === certificate)?.role ?? ('certificate' as const);
}

interface Surrounding {
  readonly name: string;
  readonly line: number;
  readonly seenByGo: boolean;
  readonly role: CertificateRole | 'certificate';
  readonly all: readonly Certificate[];
  readonly at: Date;
  readonly warnBeforeMs: number;
}

function describe(certificate: Certificate, surrounding: Surrounding): InspectedCertificate {
  const { name, line, seenByGo, role, all, at, warnBeforeMs } = surrounding;
  return {
    ...describeCertificate(certificate, 'anchor', name, at, warnBeforeMs),
    role,
    line,
    selfSigned: isSelfSigned(certificate),
    signedBy: fingerprintsOfSigners(certificate, all),
    seenBySentry: seenByGo,
    ...describeDetail(certificate.detail),
  };
}

/** Tried only where the name fits: a file may hold thousands. Nothing stands above what signed itself. */
function fingerprintsOfSigners(certificate: Certificate, all: readonly Certificate[]): string[] {
  if (isSelfSigned(certificate)) return [];
  const { issuerDer } = certificate.detail;
  const signers = all.filter(
    (other) =>
      other.fingerprint !== certificate.fingerprint &&
      other.detail.subjectDer.equals(issuerDer) &&
      isSignedBy(certificate, other),
  );
  return [...new Set(signers.map(({ fingerprint }) => fingerprint))];
}

function describeDetail(detail: CertificateDetail) {
  return {
    certificateAuthority: detail.basicConstraints?.ca ?? false,
    pathLength: detail.basicConstraints?.pathLength ?? null,
    keyUsage: detail.keyUsage ?? [],
    extendedKeyUsage: (detail.extendedKeyUsage ?? []).map(nameOfUsage),
    dnsNames: detail.dnsNames,
    uris: detail.uris,
    subjectKeyId: detail.subjectKeyId?.toString('hex') ?? null,
    authorityKeyId: detail.authorityKeyId?.toString('hex') ?? null,
  };
}

function nameOfUsage(id: string): string {
  return Object.entries(extendedKeyUsages).find(([, known]) => known === id)?.[0] ?? id;
}

function describeKeys(name: string, { blocks, key }: KeyFile, all: readonly Certificate[]): InspectedKey[] {
  return blocks.filter(isPrivateKey).map((block) => ({
    file: name,
    line: block.line,
    encrypted: isEncrypted(block),
    algorithm: key ? describeKeyAlgorithm(key) : null,
    belongsTo: key
      ? all.filter((certificate) => belongsTo(key, certificate)).map(({ fingerprint }) => fingerprint)
      : [],
  }));
}

function describeProblems(name: string, { entries, foreign, problems }: CertificateFile): InspectReport['problems'] {
  const unreadable = entries.flatMap(({ line, problem }) => (problem ? [{ file: name, line, message: problem }] : []));
  const strange = foreign
    .filter((block) => !isPrivateKey(block))
    .map(({ label, line }) => ({ file: name, line, message: `a ${label} block, which is no certificate` }));
  return [...problems.map(({ line, message }) => ({ file: name, line, message })), ...unreadable, ...strange];
}
