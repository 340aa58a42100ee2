import type { KeyObject } from 'node:crypto';
import { DaprMtlsError } from '../errors.ts';
import { type Certificate, readCertificate } from './certificate.ts';
import { readPrivateKey } from './keys.ts';
import { decodeAsGo, type PemBlock, type PemProblem, readPem } from './pem.ts';

/** The three files of a bundle by what is in them, whatever they are called on disk. */
export const bundleParts = ['anchors', 'issuerChain', 'issuerKey'] as const;
export type BundlePart = (typeof bundleParts)[number];

/** A file of certificates, read with nothing lost: also what is damaged, also what Go would not see. */
export interface CertificateFile {
  readonly part: 'anchors' | 'issuerChain';
  readonly bytes: Buffer;
  readonly entries: readonly CertificateEntry[];
  /** Blocks with another label than CERTIFICATE. */
  readonly foreign: readonly PemBlock[];
  readonly problems: readonly PemProblem[];
}

export interface CertificateEntry {
  readonly line: number;
  /** Undefined where the block could not be read as a certificate; then `problem` says why. */
  readonly certificate: Certificate | undefined;
  readonly problem: string | undefined;
  /** Whether Sentry and daprd get as far as this block. */
  readonly seenByGo: boolean;
}

export function readCertificateFile(part: CertificateFile['part'], bytes: Buffer): CertificateFile {
  const { blocks, problems } = readPem(bytes);
  const seen = certificatesSeenByGo(bytes);
  const seenOffsets = new Set(seen.map(({ offset }) => offset));
  return {
    part,
    bytes,
    entries: blocks.filter(isCertificate).map((block) => ({
      line: block.line,
      ...tryReadCertificate(block.der),
      seenByGo: seenOffsets.has(block.offset),
    })),
    foreign: blocks.filter((block) => !isCertificate(block)),
    problems,
  };
}

/**
 * dapr/kit's DecodePEMCertificates: it stops, without a word, at the first block that is not a
 * CERTIFICATE or that is no block at all.
 */
export function certificatesSeenByGo(bytes: Uint8Array): PemBlock[] {
  const blocks = decodeAsGo(bytes);
  const firstForeign = blocks.findIndex((block) => !isCertificate(block));
  return firstForeign < 0 ? blocks : blocks.slice(0, firstForeign);
}

function isCertificate({ label }: PemBlock): boolean {
  return label === 'CERTIFICATE';
}

function tryReadCertificate(der: Buffer): Pick<CertificateEntry, 'certificate' | 'problem'> {
  try {
    return { certificate: readCertificate(der), problem: undefined };
  } catch (error) {
    if (!(error instanceof DaprMtlsError)) throw error;
    return { certificate: undefined, problem: error.message };
  }
}

/** The readable certificates of a file, in their order. */
export function certificatesOf(file: CertificateFile | undefined): Certificate[] {
  return (file?.entries ?? []).flatMap(({ certificate }) => certificate ?? []);
}

/** Those that Sentry and daprd see. */
export function visibleCertificatesOf(file: CertificateFile | undefined): Certificate[] {
  return (file?.entries ?? []).flatMap(({ certificate, seenByGo }) => (seenByGo && certificate ? certificate : []));
}

export interface KeyFile {
  readonly bytes: Buffer;
  readonly blocks: readonly PemBlock[];
  readonly problems: readonly PemProblem[];
  /** Undefined where it cannot be read; then `problem` is the error. */
  readonly key: KeyObject | undefined;
  readonly problem: DaprMtlsError | undefined;
}

export function readKeyFile(bytes: Buffer, name: string, passphrase?: string): KeyFile {
  const { blocks, problems } = readPem(bytes);
  try {
    return { bytes, blocks, problems, key: readPrivateKey(bytes, name, passphrase), problem: undefined };
  } catch (error) {
    if (!(error instanceof DaprMtlsError)) throw error;
    return { bytes, blocks, problems, key: undefined, problem: error };
  }
}

/** A bundle as it was found; a part is undefined where its file is missing. */
export interface BundleReading {
  readonly anchors: CertificateFile | undefined;
  readonly issuerChain: CertificateFile | undefined;
  readonly issuerKey: KeyFile | undefined;
}

export type FoundFiles = { readonly [Part in BundlePart]: Buffer | undefined };

export function readBundle(files: FoundFiles, names: Readonly<Record<BundlePart, string>>): BundleReading {
  return {
    anchors: files.anchors && readCertificateFile('anchors', files.anchors),
    issuerChain: files.issuerChain && readCertificateFile('issuerChain', files.issuerChain),
    issuerKey: files.issuerKey && readKeyFile(files.issuerKey, names.issuerKey),
  };
}
