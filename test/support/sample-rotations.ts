import { describeGate, describeRestarts, describeWrite, notPromised } from '../../src/app/rotate/describe-phase.ts';
import { phasesBack, phasesOf } from '../../src/app/rotate/phases.ts';
import type { Phase, PhaseRecord, RotationRecord } from '../../src/app/rotate/record.ts';
import {
  type PairReport,
  type PhasePlan,
  type RotationPlanReport,
  type RotationReport,
  type RunFacts,
  reportRotation,
} from '../../src/app/rotate/report.ts';
import type { StoreLocation } from '../../src/store/port.ts';
import { preview } from './sample-reports.ts';

/** Rotations whose certificates and moments are fixed: in earnest they differ in every run. */

const names = { anchors: 'ca.crt', issuerChain: 'issuer.crt', issuerKey: 'issuer.key' };
const cluster: StoreLocation = {
  kind: 'cluster',
  name: 'dapr-system/dapr-trust-bundle in the cluster prod (https://k8s.example:6443)',
  names,
};
const directory: StoreLocation = { kind: 'directory', name: '/home/ana/.dapr/certs', names };

const ana = 'ana@laptop, process 4711';
const job = 'dapr-mtls@dapr-mtls-rotate-x7kq2, process 1';
const unbegun = {
  status: 'due',
  writtenAt: undefined,
  restartedAt: undefined,
  passedAt: undefined,
  evidence: [],
} as const;

const bridgePhases = phasesOf('bridge', 'wait', {});

export const bridgePlan: RotationPlanReport = {
  apiVersion: 'dapr-mtls/v1',
  kind: 'RotationPlan',
  store: { kind: 'cluster', name: cluster.name, state: 'settled' },
  procedure: 'bridge',
  emergency: null,
  reasons: [],
  warnings: ['Cut off already, before anything is begun: shop/old. A restart brings them back.'],
  drain: 'wait',
  phases: bridgePhases.map((phase, index) => planned(phase, [75, 1350, 0, 150][index] ?? 0)),
  pairs: [
    ...pairs('switch', 'the old anchors', ['yes', 'yes'], ['shop/cart', 'shop/checkout', 'warehouse/stock']),
    ...pairs('switch', 'the old anchors (API server)', ['yes', 'yes']),
    ...pairs('switch', 'old and new anchors', ['yes', 'yes']),
    ...pairs('retire', 'the new anchor alone', ['never', 'yes']),
  ],
  cutOff: ['shop/old'],
  deadline: '2026-12-20T03:31:09Z',
  changes: preview.changes,
  rootKey: { path: '/home/ana/root.key', encrypted: true },
  notPromised,
};

/** Everything at once, because the old root has ended. */
export const emergencyPlan: RotationPlanReport = {
  ...bridgePlan,
  store: { kind: 'directory', name: directory.name, state: 'settled' },
  procedure: 'replace',
  emergency: 'nobody verifies the certificates of this issuer',
  reasons: [],
  warnings: [],
  phases: [
    {
      name: 'replace',
      writes: 'the new root and issuer, at once',
      restarts: ['every daprd and every service, by --restart-command or by hand'],
      waitsFor: [
        'every Sentry signs with the issuer of this phase',
        'every sidecar and every service holds the new anchor',
      ],
      estimatedSeconds: 15,
      pairs: 2,
      broken: 1,
    },
  ],
  pairs: [
    ...pairs('replace', 'only the anchor b14e9a1f', ['never', 'no'], ['a/1', 'a/2', 'a/3', 'a/4', 'a/5', 'a/6', 'a/7']),
    ...pairs('replace', 'the new anchor alone', ['never', 'yes']),
  ],
  cutOff: [],
  deadline: null,
  rootKey: { path: null, encrypted: false },
};

/** Terminals of people are narrower than what others write into certificates and names. */
export const stagedPlan: RotationPlanReport = {
  ...bridgePlan,
  procedure: 'staged',
  reasons: [
    'Not bridge: the old chain leaves no room for a bridge: too many intermediates for the path length 0 of CN=a\u001b[31m.',
  ],
  warnings: [],
  drain: 'restart',
  phases: phasesOf('staged', 'restart', {}).map((phase, index) => planned(phase, [1350, 45, 1260, 88_000][index] ?? 0)),
  pairs: [
    ...pairs('distribute', 'the old anchors', ['yes', 'never']),
    ...pairs('switch', 'old and new anchors', ['yes', 'yes']),
    ...pairs('retire', 'the new anchor alone', ['never', 'yes']),
  ],
  cutOff: [],
};

function planned(phase: Phase, estimatedSeconds: number): PhasePlan {
  return {
    name: phase.name,
    writes: describeWrite(phase, 'bridge') ?? null,
    restarts: describeRestarts(phase.restarts, 'cluster'),
    waitsFor: phase.gates.map(describeGate),
    estimatedSeconds,
    pairs: 4,
    broken: 0,
  };
}

function pairs(
  phase: PairReport['phase'],
  holder: string,
  [old, fresh]: readonly ('yes' | 'no' | 'never')[],
  workloads: readonly string[] = [],
): PairReport[] {
  const pair = (shown: string, answer: 'yes' | 'no' | 'never' | undefined): PairReport[] => {
    if (answer === 'never') return [];
    const verifies = answer === 'yes';
    const reason = verifies ? '' : 'signed by unknown authority';
    return [{ phase, holder, workloads, shown, verifies, reason, until: verifies ? '2026-12-20T03:31:09Z' : null }];
  };
  return [...pair('certificates of the old issuer', old), ...pair('certificates of the issuer da655b70', fresh)];
}

const nobody: RunFacts = { end: undefined, waits: [], holder: undefined, remarks: [] };

export const reportOf = (record: RotationRecord) => reportRotation(cluster, record, nobody);

/** At the second gate, which hundreds of pods and a human keep open. */
export const waitingRecord: RotationRecord = {
  version: 1,
  id: '2026-12-01T12:00:00.000Z',
  state: 'running',
  procedure: 'bridge',
  reasons: [],
  startedAt: '2026-12-01T12:00:00.123Z',
  startedBy: ana,
  phases: bridgePhases.map((phase, index) => recorded(phase, index)),
  stages: {},
  rootKeyFile: undefined,
  encrypted: true,
  settings: {
    workloadCertTtlMs: 86_400_000,
    allowedClockSkewMs: 900_000,
    hasExternalClients: true,
    drain: 'wait',
    sentryAddress: undefined,
  },
  confirmations: [{ what: 'external-clients', phase: 'distribute', by: ana, at: '2026-12-01T12:20:00.000Z' }],
  skipped: [{ workload: 'shop/legacy', by: ana, at: '2026-12-01T12:00:00.123Z' }],
  history: [
    { at: '2026-12-01T12:00:00.123Z', by: ana, what: 'planned bridge: 32 pairs verified' },
    { at: '2026-12-01T12:00:01.000Z', by: ana, what: 'kept the key of the new root in /home/ana/root.key' },
    { at: '2026-12-01T12:00:02.000Z', by: ana, what: 'begins switch: 10 pairs verified' },
    {
      at: '2026-12-01T12:00:14.000Z',
      by: ana,
      what: 'wrote the bundle of switch; the former one is in Secret dapr-system/dapr-mtls-backup, backup-0001.json',
    },
    { at: '2026-12-01T12:00:40.000Z', by: ana, what: 'restarted deploy/dapr-sentry' },
    {
      at: '2026-12-01T12:00:41.000Z',
      by: ana,
      what: 'switch has passed: 3 of 3 Sentry pods started on the issuer da655b700e6de4ad',
    },
    { at: '2026-12-01T12:03:00.000Z', by: job, what: 'begins distribute: 10 pairs verified' },
    { at: '2026-12-01T12:20:00.000Z', by: ana, what: 'confirmed external-clients in distribute' },
  ],
};

const waits: RunFacts['waits'] = [
  {
    what: 'deployment shop/checkout: checkout-6d5f7c8b9-aaaaa, checkout-6d5f7c8b9-bbbbb and 18 more does not hold the new anchor',
    mend: '`dapr-mtls restart -k --apps -n shop --only deploy/checkout`; to answer for it yourself: --skip-workload shop/checkout.',
    until: undefined,
  },
  {
    what: 'the last certificate of another issuer ends at 2026-12-02T12:18:00.000Z',
    mend: 'Wait for it.',
    until: new Date('2026-12-02T12:18:00Z'),
  },
];

export const waiting = reportRotation(cluster, waitingRecord, { ...nobody, end: 'waiting', waits });
export const closed = reportRotation(cluster, waitingRecord, {
  ...nobody,
  end: 'closed',
  opensAt: new Date('2026-12-05T01:00:00Z'),
});
export const confirmed = reportRotation(directory, { ...waitingRecord, encrypted: false }, nobody);
export const watched = reportRotation(cluster, waitingRecord, {
  ...nobody,
  waits,
  holder: {
    name: job,
    purpose: 'rotate run',
    since: new Date('2026-12-01T12:03:00Z'),
    seenAt: new Date('2026-12-01T12:03:05Z'),
  },
});
export const handedOut = reportRotation(
  cluster,
  {
    ...waitingRecord,
    encrypted: false,
    phases: [
      { ...due(waitingRecord.phases[0] as PhaseRecord), status: 'begun', handedOut: true },
      ...waitingRecord.phases.slice(1).map(due),
    ],
  },
  {
    ...nobody,
    end: 'waiting',
    waits: [
      {
        what: 'the bundle of switch in /home/ana/values.yaml is not applied yet',
        mend: 'Commit it and let the Helm release dapr apply it; then `dapr-mtls rotate run -k --output-helm-values values.yaml --with-issuer-key` goes on.',
        until: undefined,
      },
    ],
  },
);
export const abandoned = reportRotation(
  cluster,
  {
    ...waitingRecord,
    state: 'abandoned',
    phases: waitingRecord.phases.map(
      (phase): PhaseRecord => (phase.status === 'passed' ? phase : { ...phase, status: 'abandoned' }),
    ),
  },
  nobody,
);
export const none = reportRotation(cluster, undefined, nobody);

const all = waitingRecord.phases.map((phase) => passed(phase));
export const stopped = reportRotation(
  cluster,
  { ...waitingRecord, phases: [...all.slice(0, 1), ...waitingRecord.phases.slice(1).map(due)] },
  { ...nobody, end: 'until' },
);
export const done = reportRotation(
  cluster,
  { ...waitingRecord, state: 'done', phases: all },
  { ...nobody, end: 'ended' },
);
export const undone: RotationReport = reportRotation(
  directory,
  {
    ...waitingRecord,
    state: 'undone',
    phases: [
      passed(all[0] as PhaseRecord),
      { ...(waitingRecord.phases[1] as PhaseRecord), status: 'abandoned' },
      ...phasesBack('bridge', true, 'wait').map((phase) => passed({ ...phase, ...unbegun })),
    ],
  },
  { ...nobody, end: 'ended' },
);

function recorded(phase: Phase, index: number): PhaseRecord {
  if (index === 0) return passed({ ...phase, ...unbegun });
  if (index > 1) return { ...phase, ...unbegun };
  return { ...phase, ...unbegun, status: 'written', writtenAt: '2026-12-01T12:03:00.000Z' };
}

function passed(phase: PhaseRecord): PhaseRecord {
  return {
    ...phase,
    status: 'passed',
    writtenAt: '2026-12-01T12:00:15.000Z',
    restartedAt: '2026-12-01T12:00:40.000Z',
    passedAt: '2026-12-01T12:00:41.000Z',
    evidence: ['3 of 3 Sentry pods started on the issuer da655b700e6de4ad'],
  };
}

function due(phase: PhaseRecord): PhaseRecord {
  return { ...phase, ...unbegun };
}
