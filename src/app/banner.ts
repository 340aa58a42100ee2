import type { Looked } from '../kube/dapr/control-plane.ts';
import type { KubeObject } from '../kube/port.ts';
import type { Certificate } from '../pki/certificate.ts';
import { type FoundFiles, readCertificateFile } from '../pki/reading.ts';
import type { BundleReader, StoredBundle } from '../store/port.ts';
import { assignRoles, type CertificateStatus, defaultWarnBeforeMs, describeCertificate } from './report.ts';
import { listUnread } from './unread.ts';

/** What the banner reads of the Secret of a bundle; the values are in base64. */
export interface SecretData extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** When root and issuer end, for the banner under other reports. */
export interface ExpiryGlance {
  readonly checked: boolean;
  /** Why it was not checked. */
  readonly reason: string | null;
  readonly root: EndOfCertificate | null;
  readonly issuer: EndOfCertificate | null;
  /** Only where the Secret may not be read. */
  readonly source?: 'public';
}

export interface EndOfCertificate {
  readonly notAfter: string;
  readonly remainingSeconds: number;
  readonly status: CertificateStatus;
}

type CertificateFiles = Pick<FoundFiles, 'anchors' | 'issuerChain'>;
type CertificateNames = Readonly<Record<keyof CertificateFiles, string>>;

/** The public parts, read in place of a Secret that was refused; or why that did not work, either. */
export type PublicLook =
  | { readonly kind: 'read'; readonly stored: StoredBundle; readonly names: CertificateNames }
  | {
      readonly kind: 'failed';
      readonly reason: string;
      /** Sentry was reached, and what it shows is not believed. */
      readonly isRefused: boolean;
    };

/** As `glanceAtSecret`, of what was read without it. */
export function glanceAtPublicParts(look: PublicLook, at: Date): ExpiryGlance {
  if (look.kind === 'failed') return notChecked(look.reason);
  const { stored, names } = look;
  const [issuer] = listUnread(stored).filter(({ part }) => part === 'issuer');
  if (!issuer) return { ...glanceAtExpiry(stored.files, names, at), source: 'public' };
  const anchors = stored.files.anchors && readCertificateFile('anchors', stored.files.anchors);
  const { root } = assignRoles({ anchors, issuerChain: undefined }, true);
  return { ...notChecked(issuer.reason), root: root ? endOf(root, 'root', at) : null, source: 'public' };
}

/** Never an error: what the banner stands under has its own answer to give. */
export function glanceAtSecret(secret: Looked<SecretData>, names: CertificateNames, at: Date): ExpiryGlance {
  if (secret.refusal) return notChecked(secret.refusal.message);
  if (!secret.object) return notChecked('there is no Secret of the trust bundle');
  const read = (name: string) => {
    const value = secret.object?.data?.[name];
    return value ? Buffer.from(value, 'base64') : undefined;
  };
  return glanceAtExpiry({ anchors: read(names.anchors), issuerChain: read(names.issuerChain) }, names, at);
}

/** The same of a store that was read already for another purpose. */
export async function glanceAtStore(store: BundleReader, at: Date): Promise<ExpiryGlance> {
  const { files } = await store.read();
  return glanceAtExpiry(files, store.location.names, at);
}

/**
 * Reads with node:crypto alone. "The root" is the anchor that carries the issuer in use; where no
 * anchor does, nothing is said of a root rather than something wrong.
 */
export function glanceAtExpiry(files: CertificateFiles, names: CertificateNames, at: Date): ExpiryGlance {
  const { anchors, issuerChain } = files;
  if (!anchors || !issuerChain) return notChecked(`there is no ${anchors ? names.issuerChain : names.anchors}`);
  const { root, issuer } = assignRoles({
    anchors: readCertificateFile('anchors', anchors),
    issuerChain: readCertificateFile('issuerChain', issuerChain),
  });
  if (!issuer) return notChecked(`${names.issuerChain} holds no readable certificate`);
  if (!root) return notChecked(`no certificate in ${names.anchors} has signed the issuer in ${names.issuerChain}`);
  return { checked: true, reason: null, root: endOf(root, 'root', at), issuer: endOf(issuer, 'issuer', at) };
}

function endOf(certificate: Certificate, role: 'root' | 'issuer', at: Date): EndOfCertificate {
  const { notAfter, remainingSeconds, status } = describeCertificate(certificate, role, '', at, defaultWarnBeforeMs);
  return { notAfter, remainingSeconds, status };
}

function notChecked(reason: string): ExpiryGlance {
  return { checked: false, reason, root: null, issuer: null };
}
