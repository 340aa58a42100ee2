import { describe, expect, test } from 'vitest';
import { type LeftWorkload, type RestartPlan, reportRestart } from '../../src/app/restart/report.ts';
import { describeFailure } from '../../src/cli/failure.ts';
import { Interrupted } from '../../src/cli/stop.ts';
import { workloadRef } from '../../src/kube/rollout/workload.ts';
import { renderRestart } from '../../src/render/restart.ts';
import { renderYaml } from '../../src/render/yaml.ts';
import { expectGolden } from '../support/golden.ts';
import { schemaViolations } from '../support/schema.ts';

const terminal = { isTty: true, columns: 100 };
const narrow = { isTty: true, columns: 44 };
const pipe = { isTty: false, columns: 80 };
const address = { context: 'prod', server: 'https://k8s.example:6443', namespace: undefined };
const left = (action: LeftWorkload['action'], kind: string, name: string, reason: string, pods = 2) => ({
  kind,
  namespace: 'shop',
  name,
  pods,
  action,
  reason,
});

const controlPlane: RestartPlan = {
  scope: 'control-plane',
  controlPlaneNamespace: 'dapr-system',
  due: [
    { ref: workloadRef('Deployment', 'dapr-system', 'dapr-sentry'), pods: 1 },
    { ref: workloadRef('Deployment', 'dapr-system', 'dapr-sidecar-injector'), pods: 1 },
    { ref: workloadRef('StatefulSet', 'dapr-system', 'dapr-placement-server'), pods: 3 },
  ],
  left: [
    { ...left('skipped', 'Deployment', 'dapr-operator', 'it is scaled to 0', 0), namespace: 'dapr-system' },
    { ...left('skipped', 'StatefulSet', 'dapr-scheduler-server', 'it is not there', 0), namespace: 'dapr-system' },
  ],
  remarks: [],
};

const applications: RestartPlan = {
  scope: 'applications',
  controlPlaneNamespace: 'dapr-system',
  due: [
    { ref: workloadRef('Deployment', 'shop', 'checkout'), pods: 20 },
    { ref: workloadRef('DaemonSet', 'shop', 'agent'), pods: 3 },
    { ref: workloadRef('StatefulSet', 'warehouse', 'stock'), pods: 2 },
  ],
  left: [
    left('skipped', 'Deployment', 'cart', 'it is paused'),
    left('by-hand', 'Pod', 'alone', 'nothing re-creates it: delete it, and create it again', 1),
    left('by-hand', 'Rollout', 'canary', 'Argo Rollouts restarts it: kubectl argo rollouts restart canary -n shop'),
    left('by-hand', 'Odd\u001b[31m', 'x', 'a stranger'),
  ],
  remarks: ['statefulsets/stock -n warehouse has partition 1: its pods below that number are not replaced'],
};

const report = (plan: RestartPlan, elapsedMs?: readonly number[]) => reportRestart(address, plan, elapsedMs);
const elapsed = [12_400, 3_600, 61_000];

describe('text', () => {
  test.each([
    ['restart.control-plane.txt', () => renderRestart(report(controlPlane, elapsed), terminal)],
    ['restart.control-plane.dry-run.txt', () => renderRestart(report(controlPlane), terminal)],
    ['restart.applications.txt', () => renderRestart(report(applications, elapsed), terminal)],
    ['restart.applications.dry-run.txt', () => renderRestart(report(applications), terminal)],
    ['restart.applications.narrow.txt', () => renderRestart(report(applications), narrow)],
    ['restart.applications.pipe.txt', () => renderRestart(report(applications), pipe)],
    [
      'restart.applications.one.txt',
      () => renderRestart(report({ ...applications, due: applications.due.slice(0, 1), left: [] }, elapsed), terminal),
    ],
    ['restart.applications.none.txt', () => renderRestart(report({ ...applications, due: [] }), terminal)],
  ] as const)('%s', async (name, render) => {
    await expectGolden(name, render());
  });
});

test.each([
  ['restart', () => report(applications, elapsed)],
  ['restart.dry-run', () => report(controlPlane)],
] as const)('%s is as the schema promises, as JSON and as YAML', async (name, make) => {
  expect(schemaViolations(make())).toEqual([]);
  await expectGolden(`${name}.json`, `${JSON.stringify(make(), undefined, 2)}\n`);
  await expectGolden(`${name}.yaml`, renderYaml(make()));
});

test('a signal is answered with what is done and what is not', () => {
  const account = { message: 'restarted: deploy/a; not restarted: deploy/b', hint: 'Run the same command again.' };
  expect(describeFailure(new Interrupted('SIGINT', account), 'dapr-mtls restart')).toEqual({
    code: 'interrupted',
    message: 'stopped by SIGINT; restarted: deploy/a; not restarted: deploy/b',
    hint: 'Run the same command again.',
    exitCode: 130,
  });
});
