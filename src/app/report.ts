import { findRoot } from '../pki/bundle.ts';
import { type Certificate, hasSameKey, isSelfSigned } from '../pki/certificate.ts';
import { type BundleReading, visibleCertificatesOf } from '../pki/reading.ts';
import type { StoredBundle, StoreLocation, StoreState } from '../store/port.ts';

/** Every document that leaves the program bears these two; the schemas hold them to it. */
export const apiVersion = 'dapr-mtls/v1';

export interface Document<Kind extends string> {
  readonly apiVersion: typeof apiVersion;
  readonly kind: Kind;
}

export function document<Kind extends string, Body extends object>(kind: Kind, body: Body): Document<Kind> & Body {
  return { apiVersion, kind, ...body };
}

export interface StoreReport {
  readonly kind: StoreLocation['kind'];
  readonly name: string;
  readonly state: StoreState;
}

export function describeStore({ kind, name }: StoreLocation, { state }: Pick<StoredBundle, 'state'>): StoreReport {
  return { kind, name, state };
}

/**
 * root: the anchor that carries the issuer in use. anchor: any other. issuer: what signs leaves.
 * bridge: an anchor's key under another authority. intermediate: anything else behind the issuer.
 */
export type CertificateRole = 'root' | 'anchor' | 'issuer' | 'bridge' | 'intermediate';
export type CertificateStatus = 'valid' | 'expiring' | 'expired' | 'not-yet-valid';

export interface CertificateReport {
  readonly role: CertificateRole;
  readonly file: string;
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  readonly fingerprint: string;
  readonly keyAlgorithm: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly remainingSeconds: number;
  readonly status: CertificateStatus;
}

/** 30 days: when Dapr's documentation begins to warn. */
export const defaultWarnBeforeMs = 30 * 86_400_000;

export interface Roles {
  readonly root: Certificate | undefined;
  readonly issuer: Certificate | undefined;
  readonly members: readonly {
    readonly role: CertificateRole;
    readonly part: 'anchors' | 'issuerChain';
    readonly certificate: Certificate;
  }[];
}

/**
 * Says of each certificate that Sentry sees what it is there for.
 * @param isIssuerUnread there is an issuer, and who looks may not see it: a single anchor is the root all the same
 */
export function assignRoles(reading: Pick<BundleReading, 'anchors' | 'issuerChain'>, isIssuerUnread = false): Roles {
  const anchors = visibleCertificatesOf(reading.anchors);
  const chain = visibleCertificatesOf(reading.issuerChain);
  const [only, ...others] = anchors;
  const root = isIssuerUnread && others.length === 0 ? only : findRoot(anchors, chain);
  const roleOfLink = (link: Certificate, index: number): CertificateRole => {
    if (index === 0) return 'issuer';
    const isBridge = !isSelfSigned(link) && anchors.some((anchor) => hasSameKey(anchor.publicKey, link.publicKey));
    return isBridge ? 'bridge' : 'intermediate';
  };
  return {
    root,
    issuer: chain[0],
    members: [
      ...anchors.map((certificate) => ({
        role: certificate === root ? ('root' as const) : ('anchor' as const),
        part: 'anchors' as const,
        certificate,
      })),
      ...chain.map((certificate, index) => ({
        role: roleOfLink(certificate, index),
        part: 'issuerChain' as const,
        certificate,
      })),
    ],
  };
}

export function describeCertificate(
  certificate: Certificate,
  role: CertificateRole,
  file: string,
  at: Date,
  warnBeforeMs: number,
): CertificateReport {
  const remainingMs = certificate.notAfter.getTime() - at.getTime();
  return {
    role,
    file,
    subject: certificate.subject,
    issuer: certificate.issuer,
    serial: certificate.serial,
    fingerprint: certificate.fingerprint,
    keyAlgorithm: certificate.keyAlgorithm,
    notBefore: formatInstant(certificate.notBefore),
    notAfter: formatInstant(certificate.notAfter),
    remainingSeconds: Math.floor(remainingMs / 1000),
    status: statusOf(certificate, at, remainingMs, warnBeforeMs),
  };
}

function statusOf({ notBefore }: Certificate, at: Date, remainingMs: number, warnBeforeMs: number): CertificateStatus {
  if (remainingMs < 0) return 'expired';
  if (at < notBefore) return 'not-yet-valid';
  return remainingMs < warnBeforeMs ? 'expiring' : 'valid';
}

/** RFC 3339 in UTC, whole seconds: what certificates carry. */
export function formatInstant(date: Date): string {
  return date.toISOString().replace(/\.\d{3}Z$/, 'Z');
}
