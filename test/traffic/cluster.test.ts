import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodePrivateKey } from '../../src/pki/keys.ts';
import { whyNoCluster } from '../cluster/build-programs.ts';
import { startCluster, type TestCluster } from '../cluster/start-cluster.ts';
import { dayMs, makeBundle } from '../support/bundles.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { copyProgram } from '../support/program.ts';
import { strangers } from './bundles.ts';
import { type ClusterTown, startClusterTown } from './cluster-town.ts';
import { openTraffic, skippedWithoutGo } from './program.ts';
import { expectLost, expectNothingLost } from './verdict.ts';

const traffic = await openTraffic();
const missing = traffic === undefined ? skippedWithoutGo : await whyNoCluster();

if (!traffic || missing !== undefined) {
  test.skip(missing ?? skippedWithoutGo);
} else {
  describe('on a real cluster, whose pods call each other', () => {
    const folder = temporaryDirectory('traffic');
    const { run } = copyProgram();
    let cluster: TestCluster;
    let town: ClusterTown;

    beforeAll(async () => {
      cluster = await startCluster();
      // A root that outlives the issuers under it, so that either can be renewed alone.
      const { files, rootKey } = await makeBundle({ at: new Date(), rootValidMs: 3 * 365 * dayMs });
      writeFileSync(join(folder, 'root.key'), encodePrivateKey(rootKey), { mode: 0o600 });
      town = await startClusterTown(traffic, cluster, folder, files);
    });
    afterAll(async () => {
      await town?.leave();
      await cluster?.stop();
    });

    /** What became of the calls while something was done, and a while after it. */
    const watch = async (act: () => Promise<void>) => {
      town.take();
      await Promise.race([act(), town.failed]);
      await sleep(5000);
      return town.take();
    };

    const rollOut = async (workload: string, namespace: string) => {
      await cluster.admin.kubectl(['rollout', 'restart', workload, '-n', namespace]);
      await cluster.admin.kubectl(['rollout', 'status', workload, '-n', namespace, '--timeout=120s']);
    };

    test('rollouts by themselves lose no call', async () => {
      town.during('rollouts');
      const tally = await watch(async () => {
        await rollOut('deployment/dapr-sentry', 'dapr-system');
        await rollOut('deployment/deployment-1', 'default');
        await rollOut('deployment/deployment-2', 'default');
      });
      expectNothingLost(tally);
    });

    const rotate = async (verb: 'run' | 'undo', ...words: readonly string[]) => {
      const place = ['--kubeconfig', cluster.kubeconfig, '--wait'];
      const { exitCode, stderr } = await run(['rotate', verb, ...place, ...words], { cwd: folder });
      expect(exitCode, stderr).toBe(0);
    };

    test.each([
      ['same-root', ['--private-key', 'root.key']],
      ['same-key', ['--private-key', 'root.key']],
      ['bridge', []],
      ['staged', []],
    ])('a rotation by the procedure %s loses no call', async (procedure, words) => {
      town.during(procedure);
      const tally = await watch(() => rotate('run', '--procedure', procedure, ...words));
      expectNothingLost(tally);
    });

    test('undoing loses no call', async () => {
      town.during('undo');
      const tally = await watch(async () => {
        await rotate('run', '--until', 'switch');
        await rotate('undo');
      });
      expectNothingLost(tally);
    });

    // The last of them: it shows that the tests above would have seen a lost call.
    test('to replace everything, as the documentation has it, loses calls', async () => {
      const { after } = await strangers();
      const text = (bytes: Buffer) => bytes.toString();
      const lay = (kind: string, patch: object) =>
        cluster.admin.kubectl(['patch', kind, 'dapr-trust-bundle', '-n', 'dapr-system', '-p', JSON.stringify(patch)]);
      town.during('replace');
      const tally = await watch(async () => {
        const [ca, issuer, key] = [text(after.anchors), text(after.issuerChain), text(after.issuerKey)];
        await lay('secret', { stringData: { 'ca.crt': ca, 'issuer.crt': issuer, 'issuer.key': key } });
        await lay('configmap', { data: { 'ca.crt': ca } });
        await rollOut('deployment/dapr-sentry', 'dapr-system');
        await rollOut('deployment/deployment-1', 'default');
        await sleep(5000);
        await rollOut('deployment/deployment-2', 'default');
      });
      expectLost(tally, /^replace: x509: certificate signed by unknown authority/m);
    });
  });
}
