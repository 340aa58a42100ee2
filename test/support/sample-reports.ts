import type { BackupListReport, BackupReportDocument } from '../../src/app/backup.ts';
import type { ExportReport } from '../../src/app/export.ts';
import type { InitReport } from '../../src/app/init.ts';
import type { RenewalReport } from '../../src/app/renew/report.ts';
import type { RepairReport } from '../../src/app/repair.ts';
import { apiVersion, type CertificateReport } from '../../src/app/report.ts';

/** Reports of commands whose certificates differ in every run, written by hand. */

const store = { kind: 'directory', name: '/home/ana/.dapr/certs', state: 'settled' } as const;
const place = { kind: 'directory', name: '/home/ana/.dapr/certs' } as const;

const oldRoot: CertificateReport = {
  role: 'anchor',
  file: 'ca.crt',
  subject: 'C=US, ST=VA, L=Daprville, O=dapr.io/sentry, OU=dapr.io/sentry, CN=cluster.local',
  issuer: 'C=US, ST=VA, L=Daprville, O=dapr.io/sentry, OU=dapr.io/sentry, CN=cluster.local',
  serial: '4f100643816323164bf71ee470cf77de',
  fingerprint: 'b14e9a1fd0444839c1854abae6c43eb3a30193d0708a2bba95f9056ae9fe6109',
  keyAlgorithm: 'ECDSA P-256',
  notBefore: '2025-12-20T03:16:09Z',
  notAfter: '2026-12-20T03:31:09Z',
  remainingSeconds: 1_618_269,
  status: 'expiring',
};
const newRoot: CertificateReport = {
  ...oldRoot,
  role: 'root',
  serial: '6544aea4eaf56f95e54f64b5f4795d53',
  fingerprint: 'd24fe827f5974d0dd184e248c42e65615456a68fae70ff14e094a52a2ff0f04d',
  notBefore: '2026-12-01T11:45:00Z',
  notAfter: '2027-12-01T12:00:00Z',
  remainingSeconds: 31_536_000,
  status: 'valid',
};

const newIssuer: CertificateReport = {
  ...newRoot,
  role: 'issuer',
  file: 'issuer.crt',
  subject: `${newRoot.subject} issuer`,
  serial: '4a9c1d',
  fingerprint: 'da655b700e6de4ad34d3f8f6b9919efee97ecef73a847b5caf5c1141cc07b9a4',
};

export const preview: RenewalReport = {
  apiVersion,
  kind: 'Renewal',
  store,
  outcome: 'dry-run',
  restarted: false,
  procedure: 'replace',
  validUntil: '2027-12-01T12:00:00Z',
  steps: [
    { name: 'trust the new anchors beside the old ones', files: ['ca.crt'] },
    { name: 'switch the issuer and its key', files: ['issuer.crt', 'issuer.key'] },
    { name: 'leave only the anchors that are still needed', files: ['ca.crt'] },
  ],
  changes: [
    { change: 'added', certificate: newRoot },
    { change: 'added', certificate: newIssuer },
    { change: 'removed', certificate: oldRoot },
  ],
  trust: [
    {
      holder: 'only the old anchor b14e9a1fd0444839',
      shown: 'certificates of the old issuer',
      verifies: true,
      reason: '',
    },
    {
      holder: 'only the old anchor b14e9a1fd0444839',
      shown: 'certificates of the new issuer',
      verifies: false,
      reason: 'signed by unknown authority',
    },
    {
      holder: 'the new anchors',
      shown: 'certificates of the old issuer',
      verifies: false,
      reason: 'signed by unknown authority',
    },
    { holder: 'the new anchors', shown: 'certificates of the new issuer', verifies: true, reason: '' },
  ],
  backup: null,
  rootKey: { path: null, encrypted: false },
  remarks: [
    'No bridge: the old chain leaves no room for a bridge: too many intermediates for the path length 0 of CN=cluster.local.',
  ],
};

export const renewal: RenewalReport = {
  ...preview,
  outcome: 'renewed',
  procedure: 'bridge',
  trust: [],
  remarks: [],
  backup: { id: '20261201T120000Z', path: '/home/ana/.dapr/certs.mtls/backups/20261201T120000Z', encrypted: false },
};

export const init: InitReport = {
  apiVersion,
  kind: 'Init',
  store: { ...store, name: '/home/ana/my certs' },
  outcome: 'made',
  validUntil: '2027-12-01T12:00:00Z',
  trustDomain: 'cluster.local',
  configuration: '/home/ana/my certs.mtls/config.yaml',
  backup: null,
  rootKey: { path: '/home/ana/root.key', encrypted: true },
  remarks: [],
};

export const exported: ExportReport = {
  apiVersion,
  kind: 'Export',
  store,
  directory: '/home/ana/copy',
  files: ['ca.crt', 'issuer.crt', 'issuer.key'],
  replaced: null,
};

export const backups: BackupListReport = {
  apiVersion,
  kind: 'BackupList',
  store: place,
  backups: [
    {
      id: '20261201T120000Z-2',
      path: '/home/ana/.dapr/certs.mtls/backups/20261201T120000Z-2',
      encrypted: true,
      createdAt: '2026-12-01T12:00:00Z',
      reason: 'renew-certificate --private-key',
      rootFingerprint: newRoot.fingerprint,
      rootNotAfter: newRoot.notAfter,
    },
    {
      id: '20261201T120000Z',
      path: '/home/ana/.dapr/certs.mtls/backups/20261201T120000Z',
      encrypted: false,
      createdAt: '2026-12-01T12:00:00Z',
      reason: 'init',
      rootFingerprint: null,
      rootNotAfter: null,
    },
  ],
};

export const restored: BackupReportDocument = {
  apiVersion,
  kind: 'Backup',
  store: place,
  action: 'restored',
  backup: { id: '20261201T120000Z', path: '/home/ana/.dapr/certs.mtls/backups/20261201T120000Z', encrypted: false },
  saved: { id: '20261205T080000Z', path: '/home/ana/.dapr/certs.mtls/backups/20261205T080000Z', encrypted: true },
  trust: [],
  removed: [],
  validUntil: '2026-12-20T03:31:09Z',
};

export const repair: RepairReport = {
  apiVersion,
  kind: 'Repair',
  store: place,
  outcome: 'finished',
  purpose: 'renew-certificate',
  startedAt: '2026-12-01T12:00:00Z',
  validUntil: '2027-12-01T12:00:00Z',
  changes: [],
  backup: null,
};
