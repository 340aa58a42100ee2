import type { Certificate } from '../../pki/certificate.ts';
import { readCertificateFile } from '../../pki/reading.ts';
import type { Finding } from '../../pki/rules/finding.ts';
import type { StoreLocation } from '../../store/port.ts';
import {
  assignRoles,
  type CertificateReport,
  type CertificateRole,
  describeCertificate,
  type Roles,
} from '../report.ts';
import type { SidecarSight, Sight } from './ports.ts';
import { type Threshold, warningStart } from './thresholds.ts';

/** What a look leaves in the memory of a watch: values alone, no key. */
export interface Picture {
  readonly state: Sight['bundle']['state'];
  readonly certificates: readonly WatchedCertificate[];
  /** As it was seen last. */
  readonly issuerChain: Buffer | undefined;
  readonly unread: readonly string[];
  readonly findings: readonly Finding[];
  readonly sidecars: SidecarSight | undefined;
}

export interface WatchedCertificate {
  readonly role: CertificateRole;
  readonly file: string;
  readonly certificate: Certificate;
  readonly warnFrom: Date;
}

/**
 * Where the issuer is not seen this time, the one that was seen last stands for it as long as an
 * anchor carries it: a Sentry whose issuer has ended exits, and shows nothing any more.
 */
export function pictureOf(
  sight: Sight,
  { names }: Pick<StoreLocation, 'names'>,
  thresholds: readonly Threshold[],
  before?: Picture,
): Picture {
  const { anchors, issuerChain } = sight.bundle.files;
  const chain = issuerChain ?? (carries(anchors, before?.issuerChain) ? before?.issuerChain : undefined);
  return {
    state: sight.bundle.state,
    certificates: withLoneRoot(rolesOf(anchors, chain)).map(({ role, part, certificate }) => ({
      role,
      file: names[part],
      certificate,
      warnFrom: warningStart(certificate, thresholds),
    })),
    issuerChain: chain,
    unread: sight.unread,
    findings: sight.findings.filter(({ code }) => !isAboutEnds(code)),
    sidecars: sight.sidecars,
  };
}

function rolesOf(anchors: Buffer | undefined, issuerChain: Buffer | undefined): Roles {
  return assignRoles({
    anchors: anchors && readCertificateFile('anchors', anchors),
    issuerChain: issuerChain && readCertificateFile('issuerChain', issuerChain),
  });
}

/** True where the issuer is under one of the anchors. */
export function carries(anchors: Buffer | undefined, issuerChain: Buffer | undefined): boolean {
  return issuerChain !== undefined && rolesOf(anchors, issuerChain).root !== undefined;
}

/** Where the issuer was not seen, an only anchor carries it all the same; several are anchors each. */
function withLoneRoot({ issuer, members }: Roles): Roles['members'] {
  const distinct = members.filter(({ certificate: { fingerprint } }, index) => {
    return members.findIndex(({ certificate }) => certificate.fingerprint === fingerprint) === index;
  });
  if (issuer || distinct.length !== 1) return distinct;
  return distinct.map((member) => ({ ...member, role: 'root' as const }));
}

/** A watch tells of ends by its own thresholds, in the documented sentences. */
function isAboutEnds(code: Finding['code']): boolean {
  return /^(root|issuer|anchor)\.(expired|expires-soon)$/.test(code);
}

export function rootOf({ certificates }: Picture): WatchedCertificate | undefined {
  return certificates.find(({ role }) => role === 'root');
}

export function issuerOf({ certificates }: Picture): WatchedCertificate | undefined {
  return certificates.find(({ role }) => role === 'issuer');
}

/** As other reports have it; `expiring` by the thresholds of the watch. */
export function reportCertificates({ certificates }: Picture, at: Date): CertificateReport[] {
  return certificates.map(({ certificate, role, file, warnFrom }) =>
    describeCertificate(certificate, role, file, at, certificate.notAfter.getTime() - warnFrom.getTime() + 1),
  );
}
