import { execFile, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { judgeRollout } from '../../src/kube/rollout/judge-rollout.ts';
import type { RollingWorkload, WorkloadKind } from '../../src/kube/rollout/workload.ts';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

const count = fc.integer({ min: 0, max: 3 });
const revision = fc.constantFrom('a', 'b');

const partitioned = fc.record(
  { type: fc.constant('RollingUpdate'), rollingUpdate: fc.record({ partition: count }, { requiredKeys: [] }) },
  { requiredKeys: ['type'] },
);
const strategy = fc.oneof(
  { weight: 4, arbitrary: partitioned },
  { weight: 1, arbitrary: fc.constant({ type: 'OnDelete' }) },
);

const condition = fc.constantFrom('NewReplicaSetAvailable', 'ReplicaSetUpdated', 'ProgressDeadlineExceeded');

const workload = fc
  .record({
    kind: fc.constantFrom<WorkloadKind>('Deployment', 'StatefulSet', 'DaemonSet'),
    generation: fc.integer({ min: 1, max: 2 }),
    replicas: count,
    strategy,
    reason: condition,
    status: fc.record({
      // 0 is a controller that has never looked.
      observedGeneration: fc.constantFrom(0, 1, 2, 2, 2, 2),
      replicas: count,
      updatedReplicas: count,
      readyReplicas: count,
      availableReplicas: count,
      desiredNumberScheduled: count,
      updatedNumberScheduled: count,
      numberAvailable: count,
      currentRevision: revision,
      updateRevision: revision,
    }),
  })
  .map(({ kind, generation, replicas, strategy, reason, status }) => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'x', namespace: 'default', generation },
    spec: {
      ...(kind === 'DaemonSet' ? {} : { replicas }),
      ...(kind === 'Deployment' ? {} : { updateStrategy: withoutPartition(kind, strategy) }),
      selector: { matchLabels: { app: 'x' } },
      template: { metadata: { labels: { app: 'x' }, annotations: {} } },
    },
    status: { ...status, conditions: [{ type: 'Progressing', status: 'True', reason }] },
  }));

/** Only StatefulSets have partitions. */
function withoutPartition(kind: WorkloadKind, drawn: { readonly type: string }) {
  return kind === 'StatefulSet' ? drawn : { type: drawn.type };
}

describe.skipIf(!hasKubectl)(
  hasKubectl ? 'beside kubectl rollout status' : 'there is no kubectl to compare with',
  () => {
    let server: ApiServer;
    beforeAll(async () => {
      server = await startApiServer();
    });
    afterAll(() => server?.stop());

    test('every state is judged alike: done, under way, or never', { timeout: 240_000 }, async () => {
      const kubeconfig = server.kubeconfig();
      const seen = new Set<string>();
      let index = 0;
      await fc.assert(
        fc.asyncProperty(workload, async (drawn) => {
          const name = `w-${index++}`;
          const object: RollingWorkload = { ...drawn, metadata: { ...drawn.metadata, name } };
          server.store.put(object);
          const theirs = await askKubectl(kubeconfig, `${drawn.kind.toLowerCase()}/${name}`);
          const { done, stuck } = judgeRollout(object);
          const ours = stuck ? 'never' : done ? 'done' : 'under way';
          seen.add(`${drawn.kind} ${ours}`);
          expect(ours).toBe(theirs);
        }),
        { numRuns: 120, seed: 20261122 },
      );
      // Each verdict has been met for each kind.
      expect(seen.size).toBe(9);
    });
  },
);

function askKubectl(kubeconfig: string, name: string): Promise<'done' | 'under way' | 'never'> {
  return new Promise((resolve, reject) => {
    const args = ['rollout', 'status', name, '--watch=false', '-n', 'default', '--kubeconfig', kubeconfig];
    execFile('kubectl', args, (error, stdout, stderr) => {
      const said = `${stdout}${stderr}`;
      if (/exceeded its progress deadline|only available for RollingUpdate/.test(said)) resolve('never');
      else if (error) reject(new Error(said, { cause: error }));
      else
        resolve(/successfully rolled out|roll out complete|rolling update complete/.test(said) ? 'done' : 'under way');
    });
  });
}
