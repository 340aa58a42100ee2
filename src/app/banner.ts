import type { Looked } from '../kube/dapr/control-plane.ts';
import type { KubeObject } from '../kube/port.ts';
import type { Certificate } from '../pki/certificate.ts';
import { type FoundFiles, readCertificateFile } from '../pki/reading.ts';
import type { BundleReader } from '../store/port.ts';
import { assignRoles, type CertificateStatus, defaultWarnBeforeMs, describeCertificate } from './report.ts';

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
}

export interface EndOfCertificate {
  readonly notAfter: string;
  readonly remainingSeconds: number;
  readonly status: CertificateStatus;
}

type CertificateFiles = Pick<FoundFiles, 'anchors' | 'issuerChain'>;
type CertificateNames = Readonly<Record<keyof CertificateFiles, string>>;

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
  const endOf = (certificate: Certificate, role: 'root' | 'issuer'): EndOfCertificate => {
    const { notAfter, remainingSeconds, status } = describeCertificate(certificate, role, '', at, defaultWarnBeforeMs);
    return { notAfter, remainingSeconds, status };
  };
  return { checked: true, reason: null, root: endOf(root, 'root'), issuer: endOf(issuer, 'issuer') };
}

function notChecked(reason: string): ExpiryGlance {
  return { checked: false, reason, root: null, issuer: null };
}
