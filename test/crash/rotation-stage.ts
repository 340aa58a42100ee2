import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { decodeRecord, type RotationRecord } from '../../src/app/rotate/record.ts';
import type { KubeObject } from '../../src/kube/port.ts';
import { encodePrivateKey } from '../../src/pki/keys.ts';
import { claimOf } from '../../src/store/cluster/claim.ts';
import { keeperRef } from '../../src/store/cluster/keeper.ts';
import { holderOf, type LeaseObject, leaseRef } from '../../src/store/cluster/lease.ts';
import {
  type ConfigMapObject,
  configMapRef,
  filesOf,
  type SecretObject,
  secretRef,
} from '../../src/store/cluster/objects.ts';
import { recordRef } from '../../src/store/cluster/rotation-record.ts';
import { defaultNames } from '../../src/store/file-names.ts';
import type { FoundFiles } from '../../src/store/port.ts';
import { makeBundle } from '../support/bundles.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { expectWhole } from '../support/expect-whole.ts';
import { startLiveSentry } from '../support/live-sentry.ts';
import type { Program, Run } from '../support/program.ts';
import { clusterObjects, type RollingCluster, startRollingCluster } from '../support/rolling-cluster.ts';

const place = { namespace: 'dapr-system' };
/** Who comes behind a dead run waits for this long; in earnest for 15 s. */
const leaseMs = 1000;

/** What a rotation finds in a cluster. */
export interface Ground {
  readonly objects: readonly KubeObject[];
  /** PEM, of the root that is there. */
  readonly rootKey: string;
}

/** A cluster with a Sentry that answers, for one run and those that go on with it. */
export interface RotationStage extends RollingCluster {
  start(words: readonly string[]): Run;
  files(): FoundFiles;
  configMap(): ConfigMapObject | undefined;
  record(): RotationRecord | undefined;
  close(): Promise<void>;
}

export async function layGround(): Promise<Ground> {
  const { files, rootKey } = await makeBundle({ at: new Date() });
  return { objects: clusterObjects(files), rootKey: encodePrivateKey(rootKey) };
}

/** In the folder in which it runs lies `root.key`. */
export async function openRotationStage(program: Program, { objects, rootKey }: Ground): Promise<RotationStage> {
  const cluster = await startRollingCluster(objects);
  const { store } = cluster.server;
  const sentry = await startLiveSentry();
  const folder = temporaryDirectory('rotation');
  writeFileSync(join(folder, 'root.key'), rootKey, { mode: 0o600 });
  const env = {
    KUBECONFIG: cluster.server.kubeconfig(),
    DAPR_MTLS_TEST_CLUSTER_PAUSE_MS: '50',
    DAPR_MTLS_TEST_CLUSTER_LEASE_MS: String(leaseMs),
  };
  const files = () => filesOf(store.get<SecretObject>(secretRef(place)), defaultNames);
  sentry.serve(files);
  return {
    ...cluster,
    start: (words) => program.start([...words, '--sentry', sentry.address], { cwd: folder, env }),
    files,
    configMap: () => store.get<ConfigMapObject>(configMapRef(place)),
    record: () => {
      const content = recordedIn(cluster);
      return content && decodeRecord(content);
    },
    close: async () => {
      await sentry.stop();
      await cluster.server.stop();
    },
  };
}

/** The record as it stands in its Secret. */
export function recordedIn({ server }: RollingCluster): Buffer | undefined {
  const content = server.store.get<SecretObject>(recordRef(place))?.data?.['rotation.json'];
  return content === undefined ? undefined : Buffer.from(content, 'base64');
}

/** One bundle in both objects, no claim on it, and every sidecar holds its anchors. */
export function expectSettled(stage: RotationStage, where: string): void {
  expectWhole(stage);
  expect(claimOf(stage.server.store.get<SecretObject>(keeperRef(place))), where).toBeUndefined();
  const anchors =
    stage
      .files()
      .anchors?.toString()
      .match(/-----BEGIN[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  expect(stage.sidecars().length).toBeGreaterThan(0);
  for (const held of stage.sidecars()) for (const anchor of anchors) expect(held, where).toContain(anchor);
}

/** Who holds the lock of the rotation, dead or alive. */
export function lockHolderIn({ server }: RollingCluster): string | undefined {
  const lease = server.store.get<LeaseObject>(leaseRef(place));
  return lease && holderOf(lease)?.name;
}
