import { DaprMtlsError } from '../../errors.ts';
import { findRoot } from '../../pki/bundle.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { verifyLeafOf } from '../../pki/chain.ts';
import { type CertificateFile, readCertificateFile, visibleCertificatesOf } from '../../pki/reading.ts';

/** What sidecars are held against, as it was found. */
export interface ReferenceFiles {
  /** live: the bundle of the cluster. directory: another bundle. file: anchors alone. */
  readonly kind: 'live' | 'directory' | 'file';
  readonly name: string;
  readonly anchors: Buffer | undefined;
  /** Undefined where there is none, or this user may not read it: then the issuer is not known. */
  readonly issuerChain: Buffer | undefined;
  /** Why it is not known, where that is told. */
  readonly issuerUnread?: string | undefined;
  /** Why a pod that comes would not hold these anchors, or not verify its peers by them; undefined where it does. */
  readonly conflict?: string | undefined;
}

/** What a sidecar needs for talking to the others. */
export interface Reference {
  readonly kind: ReferenceFiles['kind'];
  readonly name: string;
  readonly anchors: readonly Certificate[];
  /** Undefined where the issuer is not known. */
  readonly root: Certificate | undefined;
  readonly issuer: Certificate | undefined;
  readonly issuerUnread: string | undefined;
  readonly conflict: string | undefined;
  /** The anchors that a sidecar has to hold. */
  readonly needed: readonly Certificate[];
  /** What peers show behind their own certificates; any of them where it is not known which. */
  readonly chains: readonly (readonly [Certificate, ...Certificate[]])[];
  /** Why even who holds all anchors verifies nothing; undefined where that is well. */
  readonly problem: string | undefined;
}

/**
 * The root alone is needed where the issuer is known: other anchors come and go in a rotation.
 * Where it is not, any anchor that is valid may be the one that the issuer is under, and all count.
 * @throws DaprMtlsError `store.missing`, `trust.unreadable`, `trust.refused`: never a guess
 */
export function readReference({ kind, name, ...files }: ReferenceFiles, at: Date): Reference {
  const anchors = certificatesOf('anchors', files.anchors, name);
  if (!anchors) throw noAnchors(name);
  const issuerChain = certificatesOf('issuerChain', files.issuerChain, name);
  const [issuer, ...rest] = issuerChain ?? [];
  const { issuerUnread, conflict } = files;
  const found = { kind, name, anchors, issuer, issuerUnread, conflict };
  if (!issuer) {
    const valid = anchors.filter(({ notBefore, notAfter }) => notBefore <= at && at <= notAfter);
    const needed = valid.length > 0 ? valid : anchors;
    const chains = needed.map((anchor) => [anchor] as const);
    return { ...found, root: undefined, needed, chains, problem: whyNothingVerifies(chains, anchors, at) };
  }
  const root = findRoot(anchors, [issuer, ...rest]);
  if (!root) throw noRoot(name);
  const chains = [[issuer, ...rest]] as const;
  return { ...found, root, needed: [root], chains, problem: whyNothingVerifies(chains, anchors, at) };
}

/** Undefined where at least one chain verifies. */
export function whyNothingVerifies(
  chains: Reference['chains'],
  anchors: readonly Certificate[],
  at: Date,
): string | undefined {
  const verdicts = chains.map((chain) => verifyLeafOf(chain, { anchors, at }));
  return verdicts.some(({ ok }) => ok) ? undefined : verdicts[0]?.reason;
}

/** Each once; undefined where there is no such file. */
function certificatesOf(
  part: CertificateFile['part'],
  bytes: Buffer | undefined,
  name: string,
): Certificate[] | undefined {
  if (!bytes) return undefined;
  const certificates = visibleCertificatesOf(readCertificateFile(part, bytes));
  const byFingerprint = new Map(certificates.map((certificate) => [certificate.fingerprint, certificate]));
  if (byFingerprint.size > 0) return [...byFingerprint.values()];
  throw new DaprMtlsError('trust.unreadable', {
    message: `${name}: the ${part === 'anchors' ? 'anchors hold' : 'issuer chain holds'} no readable certificate`,
    hint: 'Name a PEM file of anchors, or a directory with a bundle. What is wrong with it tells `dapr-mtls inspect`.',
  });
}

function noAnchors(name: string): DaprMtlsError {
  return new DaprMtlsError('store.missing', {
    message: `${name} has no trust anchors, so there is nothing to hold sidecars against`,
    hint: 'See what is there: `dapr-mtls check -k`. Or name anchors: `dapr-mtls audit -k --against FILE`.',
  });
}

function noRoot(name: string): DaprMtlsError {
  return new DaprMtlsError('trust.refused', {
    message: `${name}: none of the anchors has signed the issuer, so it is not known which one sidecars need`,
    hint: 'See what is wrong: `dapr-mtls check -k`. Or name anchors: `dapr-mtls audit -k --against FILE`.',
  });
}
