import { DaprMtlsError } from '../errors.ts';
import { readCertificateFile } from '../pki/reading.ts';
import type { StoredBundle, StoreLocation } from '../store/port.ts';
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
import { wayToStore } from './way-to-store.ts';

export type { CertificateReport };

export interface ExpiryReport extends Document<'Expiry'> {
  readonly store: StoreReport;
  readonly at: string;
  readonly root: CertificateReport;
  readonly issuer: CertificateReport;
  /** All of them, root and issuer included, in the order of the files. */
  readonly certificates: readonly CertificateReport[];
}

/**
 * When the root, the issuer and every other certificate end. Reads with node:crypto alone.
 * @throws DaprMtlsError `store.missing`, `trust.unreadable`, `trust.refused`: never a guess
 */
export function reportExpiry(
  stored: StoredBundle,
  location: StoreLocation,
  at: Date,
  warnBeforeMs = defaultWarnBeforeMs,
): ExpiryReport {
  const { anchors, issuerChain } = stored.files;
  if (!anchors || !issuerChain) throw missing(location, !anchors ? 'anchors' : 'issuerChain');
  const { root, issuer, members } = assignRoles({
    anchors: readCertificateFile('anchors', anchors),
    issuerChain: readCertificateFile('issuerChain', issuerChain),
  });
  if (!issuer || !members.some(({ part }) => part === 'anchors'))
    throw unreadable(location, issuer ? 'anchors' : 'issuerChain');
  if (!root) throw noRoot(location);
  const certificates = members.map(({ role, part, certificate }) =>
    describeCertificate(certificate, role, location.names[part], at, warnBeforeMs),
  );
  const ofRole = (role: CertificateReport['role']) =>
    certificates.find((report) => report.role === role) as CertificateReport;
  return document('Expiry', {
    store: describeStore(location, stored),
    at: formatInstant(at),
    root: ofRole('root'),
    issuer: ofRole('issuer'),
    certificates,
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

function noRoot(location: StoreLocation): DaprMtlsError {
  const { name, names } = location;
  return new DaprMtlsError('trust.refused', {
    message: `no certificate in ${names.anchors} has signed the issuer in ${names.issuerChain} (${name}), so there is no root to tell the end of`,
    hint: `See what is wrong: \`dapr-mtls check${wayToStore(location)}\`. Restore a copy: \`dapr-mtls backup restore${wayToStore(location)}\`.`,
  });
}
