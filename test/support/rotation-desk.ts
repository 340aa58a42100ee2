import { expect, type TestContext } from 'vitest';
import { decodeRecord, type RotationRecord } from '../../src/app/rotate/record.ts';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { type ConfigMapObject, configMapRef, type SecretObject, secretRef } from '../../src/store/cluster/objects.ts';
import { recordRef } from '../../src/store/cluster/rotation-record.ts';
import type { MadeBundle } from './bundles.ts';
import { temporaryDirectory } from './directory.ts';
import { copyProgram, type Outcome, type Program, type Run } from './program.ts';
import { clusterObjects, type RollingCluster, startRollingCluster } from './rolling-cluster.ts';

const place = { namespace: 'dapr-system' };
/** Copied once for all of a file. */
let program: Program | undefined;

/**
 * A cluster of its own for each test, and people with the built program before it.
 * @param context of the test: several run at once, and each ends its own
 * @param change what else stands there, before anybody looks
 */
export async function openRotationDesk(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  { files }: Pick<MadeBundle, 'files'>,
  change: (cluster: RollingCluster) => void = () => undefined,
) {
  program ??= copyProgram();
  const { start: startProgram } = program;
  const town = await startRollingCluster(clusterObjects(files));
  const folder = temporaryDirectory('rotation-desk');
  onTestFinished(async () => {
    town.letGo();
    await town.server.stop();
  });
  change(town);
  const { store } = town.server;
  const start = (line: string, settle = '0'): Run => {
    const env = {
      KUBECONFIG: town.server.kubeconfig(),
      HOME: folder,
      DAPR_MTLS_SETTLE: settle,
      DAPR_MTLS_TEST_CLUSTER_PAUSE_MS: '50',
      DAPR_MTLS_TEST_CLUSTER_LEASE_MS: '5000',
    };
    return startProgram(line.split(' '), { cwd: folder, env });
  };
  const overwriteConfigMap = (anchors: Buffer) => {
    const data = { 'ca.crt': anchors.toString() };
    store.change<ConfigMapObject>(configMapRef(place), (object) => ({ ...object, data }));
  };
  return {
    ...town,
    folder,
    start,
    run: async (line: string, expected: number): Promise<Outcome> => {
      const outcome = await start(line).ended;
      expect(outcome.exitCode, `${line}\n${outcome.stdout}\n${outcome.stderr}`).toBe(expected);
      return outcome;
    },
    secret: () => store.get<SecretObject>(secretRef(place)),
    configMap: () => store.get<ConfigMapObject>(configMapRef(place)),
    record: (): RotationRecord | undefined => {
      const encoded = store.get<SecretObject>(recordRef(place))?.data?.['rotation.json'];
      return encoded === undefined ? undefined : decodeRecord(Buffer.from(encoded, 'base64'));
    },
    overwriteConfigMap,
    /** As another program writes: a Sentry that has made a root of its own, or somebody with kubectl. */
    overwrite: ({ anchors, issuerChain, issuerKey }: BundleFiles): void => {
      const data = {
        'ca.crt': anchors.toString('base64'),
        'issuer.crt': issuerChain.toString('base64'),
        'issuer.key': issuerKey.toString('base64'),
      };
      store.change<SecretObject>(secretRef(place), (object) => ({ ...object, data }));
      overwriteConfigMap(anchors);
    },
  };
}
