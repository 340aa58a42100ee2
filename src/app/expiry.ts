import { DaprMtlsError } from '../errors.ts';
import { readCertificateFile } from '../pki/reading.ts';
import type { StoredBundle, StoreLocation, Unread } from '../store/port.ts';
import { hintForMissing } from './assert-bundle.ts';
import {
  assignRoles,
  type CertificateReport,
  type Document,
  defaultWarnBeforeMs,
  describeCertificate,
  describeStore,
  document,
  formatInstant,
  type StoreReport,
} from './report.ts';
import { listUnread, type UnreadReport } from './unread.ts';
import { wayToStore } from './way-to-store.ts';

export type { CertificateReport };

export interface ExpiryReport extends Document<'Expiry'> {
  readonly store: StoreReport & Pick<StoredBundle, 'source'>;
  readonly at: string;
  readonly root: CertificateReport;
  /** Null where it was not read, which `unread` then tells of. */
  readonly issuer: CertificateReport | null;
  /** All of them, root and issuer included, in the order of the files. */
  readonly certificates: readonly CertificateReport[];
  /** Only where the Secret of a cluster was not read. */
  readonly unread?: readonly UnreadReport[];
}

/**
 * When the root, the issuer and every other certificate end. Reads with node:crypto alone. Where the
 * issuer was not read, a single anchor is the root all the same; among several nobody knows which is.
 * @throws DaprMtlsError `store.missing`, `trust.unreadable`, `trust.refused`, `cluster.unreachable`: never a guess
 */
export function reportExpiry(
  stored: StoredBundle,
  location: StoreLocation,
  at: Date,
  warnBeforeMs = defaultWarnBeforeMs,
): ExpiryReport {
  const { anchors, issuerChain } = stored.files;
  const whyNoIssuer = stored.unread?.issuerChain;
  if (!anchors || (!issuerChain && !whyNoIssuer)) throw missing(location, !anchors ? 'anchors' : 'issuerChain');
  const { root, issuer, members } = assignRoles(
    {
      anchors: readCertificateFile('anchors', anchors),
      issuerChain: issuerChain && readCertificateFile('issuerChain', issuerChain),
    },
    whyNoIssuer !== undefined,
  );
  if ((issuerChain && !issuer) || !members.some(({ part }) => part === 'anchors'))
    throw unreadable(location, issuer || !issuerChain ? 'anchors' : 'issuerChain');
  if (!root) throw whyNoIssuer && !issuer ? anyRoot(location, whyNoIssuer, members.length) : noRoot(location);
  const certificates = members.map(({ role, part, certificate }) =>
    describeCertificate(certificate, role, location.names[part], at, warnBeforeMs),
  );
  const ofRole = (role: CertificateReport['role']) => certificates.find((report) => report.role === role);
  const { source } = stored;
  return document('Expiry', {
    store: { ...describeStore(location, stored), ...(source ? { source } : {}) },
    at: formatInstant(at),
    root: ofRole('root') as CertificateReport,
    issuer: ofRole('issuer') ?? null,
    certificates,
    ...(stored.unread ? { unread: listUnread(stored) } : {}),
  });
}

function missing(location: StoreLocation, part: 'anchors' | 'issuerChain'): DaprMtlsError {
  const { name, names } = location;
  return new DaprMtlsError('store.missing', {
    message: `there is no ${names[part]} in ${name}`,
    hint: hintForMissing(location),
  });
}

function unreadable(location: StoreLocation, part: 'anchors' | 'issuerChain'): DaprMtlsError {
  const { name, names } = location;
  return new DaprMtlsError('trust.unreadable', {
    message: `${names[part]} in ${name} holds no readable certificate`,
    hint: `See what is wrong with it: \`dapr-mtls check${wayToStore(location)}\`. Restore a copy: \`dapr-mtls backup restore${wayToStore(location)}\`.`,
  });
}

function anyRoot(location: StoreLocation, { reason, hint }: Unread, anchors: number): DaprMtlsError {
  return new DaprMtlsError('cluster.unreachable', {
    message: `which of the ${anchors} anchors in ${location.name} is the root tells the issuer, and that is not known: the Secret was not read, and ${reason}`,
    hint,
  });
}

function noRoot(location: StoreLocation): DaprMtlsError {
  const { name, names } = location;
  return new DaprMtlsError('trust.refused', {
    message: `no certificate in ${names.anchors} has signed the issuer in ${names.issuerChain} (${name}), so there is no root to tell the end of`,
    hint: `See what is wrong: \`dapr-mtls check${wayToStore(location)}\`. Restore a copy: \`dapr-mtls backup restore${wayToStore(location)}\`.`,
  });
}
