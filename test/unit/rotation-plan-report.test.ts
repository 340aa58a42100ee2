import { describe, expect, test } from 'vitest';
import { planRotation, type RotationWish } from '../../src/app/rotate/plan.ts';
import type { Procedure } from '../../src/app/rotate/record.ts';
import { type RotationPlanReport, reportPlan } from '../../src/app/rotate/report.ts';
import type { ServiceInstance, Sidecar, World } from '../../src/app/rotate/world.ts';
import type { StoreLocation } from '../../src/store/port.ts';
import { bundleNames, currentOf, dayMs, makeBundle } from '../support/bundles.ts';
import { fixtureInstant } from '../support/fixtures.ts';
import { wishOf } from '../support/rotation-plans.ts';
import { schemaViolations } from '../support/schema.ts';

const { files, rootKey } = await makeBundle({ rootValidMs: 3 * 365 * dayMs });
let serial = 0;

const base = wishOf({
  daprVersion: { major: 1, minor: 17, patch: 13 },
  newSerial: () => `40${String(++serial).padStart(30, '0')}`,
});

const service = (name: string): ServiceInstance => ({
  service: name,
  pod: `${name}-0`,
  createdAt: fixtureInstant,
  startedAt: fixtureInstant,
  ready: true,
  terminating: false,
});
const sidecar = (name: string): Sidecar => ({
  namespace: 'shop',
  pod: `${name}-0`,
  workload: { kind: 'Deployment', name },
  createdAt: fixtureInstant,
  terminating: false,
  anchors: files.anchors.toString(),
  daprVersion: '1.17.13',
});
const cluster: Pick<World, 'sidecars' | 'services'> = {
  sidecars: ['a', 'b', 'c', 'd'].map(sidecar),
  services: ['dapr-sentry', 'dapr-operator'].map(service),
};
const directory = { sidecars: undefined, services: undefined };

async function plan(wish: Partial<RotationWish>, world = cluster): Promise<RotationPlanReport> {
  const kind: StoreLocation['kind'] = world === directory ? 'directory' : 'cluster';
  const merged = { ...base, ...wish };
  return reportPlan(await planRotation(currentOf(files, fixtureInstant, kind), world, merged), {
    stored: { files, revision: '', state: 'settled' },
    location: { kind, name: 'here', names: bundleNames },
    world,
    settings: merged,
    rootKey: { path: '/root.key', passphrase: 'a passphrase' },
    skipped: merged.skipped,
    now: fixtureInstant,
  });
}

const secondsOf = ({ phases }: RotationPlanReport) =>
  Object.fromEntries(phases.map(({ name, estimatedSeconds }) => [name, estimatedSeconds]));

describe('a plan as a document', () => {
  test.each<[Procedure, Partial<RotationWish>]>([
    ['bridge', {}],
    ['staged', { procedure: 'staged' }],
    ['same-key', { procedure: 'same-key', request: { kind: 'private-key', rootKey } }],
    ['same-root', { request: { kind: 'private-key', rootKey } }],
  ])('%s is as the schema promises, of a cluster and of a directory', async (procedure, wish) => {
    for (const world of [cluster, directory]) {
      const report = await plan(wish, world);
      expect(schemaViolations(report)).toEqual([]);
      expect(report.procedure).toBe(procedure);
      expect(report.phases.reduce((sum, { pairs }) => sum + pairs, 0)).toBe(report.pairs.length);
      expect(JSON.stringify(report)).not.toMatch(/PRIVATE KEY|a passphrase/);
    }
  });

  test('names the workloads that hold the old anchors', async () => {
    const { pairs } = await plan({});
    expect(pairs.find(({ workloads }) => workloads.length > 0)).toMatchObject({
      workloads: ['shop/a', 'shop/b', 'shop/c', 'shop/d'],
      verifies: true,
    });
  });

  test('tells of the key of a new root, and only of one', async () => {
    expect((await plan({})).rootKey).toEqual({ path: '/root.key', encrypted: true });
    expect((await plan({ request: { kind: 'private-key', rootKey } })).rootKey).toBeNull();
  });
});

describe('a workload that is answered for', () => {
  test.each([
    ['shop/a', cluster, []],
    ['shop/aa', cluster, [/^--skip-workload shop\/aa: no workload of this name .* Is shop\/a meant\?$/]],
    ['shpo/b', cluster, [/Is shop\/b meant\?$/]],
    ['billing/invoices', cluster, [/so nobody is left out\.$/]],
    ['shop/a', directory, [/has no effect: nobody sees the workloads of a directory/]],
  ])('%s is warned about where nobody is', async (name, world, expected) => {
    const { warnings } = await plan({ skipped: [name] }, world);
    const own = warnings.filter((warning) => warning.startsWith('--skip-workload'));
    expect(own).toEqual(expected.map((text) => expect.stringMatching(text)));
  });
});

describe('how long it takes', () => {
  test('is a day of waiting where nobody is restarted behind the switch', async () => {
    const { distribute, drain } = secondsOf(await plan({ procedure: 'staged' }));
    expect(drain).toBe((24 * 60 + 15) * 60);
    // A write, Sentry, two services, and four workloads of which three go at a time.
    expect(distribute).toBe(15 + 30 + 2 * 30 + 2 * 45);
  });

  test('is that of a second restart where one was asked for', async () => {
    const { drain } = secondsOf(await plan({ procedure: 'staged', drain: 'restart' }));
    expect(drain).toBe(2 * 30 + 2 * 45);
  });

  test('is nothing behind a bridge, where everybody was restarted since the switch', async () => {
    expect(secondsOf(await plan({})).drain).toBe(0);
  });
});
