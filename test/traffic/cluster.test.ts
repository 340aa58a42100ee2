import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whyNoCluster } from '../cluster/build-programs.ts';
import { startCluster, type TestCluster } from '../cluster/start-cluster.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { strangers } from './bundles.ts';
import { startClusterTown } from './cluster-town.ts';
import { openTraffic, skippedWithoutGo } from './program.ts';

const program = await openTraffic();
const missing = program === undefined ? skippedWithoutGo : await whyNoCluster();

if (!program || missing !== undefined) {
  test.skip(missing ?? skippedWithoutGo);
} else {
  describe('on a real cluster', () => {
    let cluster: TestCluster;
    beforeAll(async () => {
      cluster = await startCluster();
    });
    afterAll(() => cluster?.stop());

    test('rollouts by themselves lose nothing', async () => {
      const { before } = await strangers();
      const town = await startClusterTown(program, cluster, temporaryDirectory('traffic'), before);
      town.failed.catch((e) => console.log('FAILED', e));
      town.during('rollouts');
      await cluster.admin.kubectl(['rollout', 'restart', 'deployment/dapr-sentry', '-n', 'dapr-system']);
      await cluster.admin.kubectl(['rollout', 'status', 'deployment/dapr-sentry', '-n', 'dapr-system']);
      await cluster.admin.kubectl(['rollout', 'restart', 'deployments']);
      await cluster.admin.kubectl(['rollout', 'status', 'deployment/deployment-1']);
      await cluster.admin.kubectl(['rollout', 'status', 'deployment/deployment-2']);
      await sleep(3000);
      console.log(await town.leave());
    });
  });
}
