import { randomBytes } from 'node:crypto';
import { planRotation, type RotationPlan, type RotationWish } from '../../src/app/rotate/plan.ts';
import type { PhaseRecord, RotationRecord, RotationSettings } from '../../src/app/rotate/record.ts';
import { buildRecord } from '../../src/app/rotate/start.ts';
import type { ServiceInstance, Sidecar, World } from '../../src/app/rotate/world.ts';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { currentOf, dayMs, newKey } from './bundles.ts';
import { fixtureInstant } from './fixtures.ts';

const hourMs = 3_600_000;

export const dapr = (version: string): RotationWish['daprVersion'] => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return { major, minor, patch: 0 };
};

/** What is asked for where nothing odd is. */
export function wishOf(change: Partial<RotationWish> = {}): RotationWish {
  return {
    request: { kind: 'fresh' },
    procedure: undefined,
    drain: undefined,
    skipped: [],
    now: fixtureInstant,
    rootValidMs: 365 * dayMs,
    issuerValidMs: 365 * dayMs,
    workloadCertTtlMs: 24 * hourMs,
    allowedClockSkewMs: hourMs / 4,
    trustDomain: 'cluster.local',
    keyType: 'p256',
    issuerPathLength: undefined,
    daprVersion: dapr('1.17'),
    newSerial: () => `4${randomBytes(16).toString('hex').slice(1)}`,
    newKey,
    ...change,
  };
}

/** What would be done with the files in a cluster, whose sidecars hold what is given. */
export function planFor(
  files: BundleFiles,
  change: Partial<RotationWish> = {},
  sidecars: World['sidecars'] = [],
): Promise<RotationPlan> {
  const wish = wishOf(change);
  return planRotation(currentOf(files, wish.now, 'cluster'), { sidecars }, wish);
}

export function recordOf(plan: RotationPlan, settings: Partial<RotationSettings> = {}): RotationRecord {
  const { workloadCertTtlMs, allowedClockSkewMs, now } = wishOf();
  const usual = { workloadCertTtlMs, allowedClockSkewMs, hasExternalClients: false, sentryAddress: undefined };
  const input = { id: 'one', who: 'tester', now, skipped: [], rootKey: undefined, passphrase: undefined };
  return buildRecord(plan, { ...input, settings: { ...usual, ...settings } });
}

/** The record as it stands when its phases have come so far. */
export function reach(record: RotationRecord, progress: Partial<Record<string, Partial<PhaseRecord>>>): RotationRecord {
  const phases = record.phases.map((phase) => ({ ...phase, ...progress[phase.name] }));
  return { ...record, phases };
}

export function sidecar(change: Partial<Sidecar> = {}): Sidecar {
  return {
    namespace: 'shop',
    pod: 'cart-7d9f-x2x4z',
    workload: { kind: 'Deployment', name: 'cart' },
    createdAt: fixtureInstant,
    terminating: false,
    anchors: undefined,
    daprVersion: '1.17.13',
    ...change,
  };
}

export function service(name: string, change: Partial<ServiceInstance> = {}): ServiceInstance {
  const at = fixtureInstant;
  return { service: name, pod: `${name}-0`, createdAt: at, startedAt: at, ready: true, terminating: false, ...change };
}
