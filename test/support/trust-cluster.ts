import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RenewInput, renew } from '../../src/app/renew/renew.ts';
import type { RenewalReport } from '../../src/app/renew/report.ts';
import { openCluster } from '../../src/cli/open-cluster.ts';
import type { Cluster, KubeObject } from '../../src/kube/port.ts';
import type { FoundFiles } from '../../src/pki/reading.ts';
import type { ClusterStoreOptions } from '../../src/store/cluster/change-session.ts';
import { ClusterStore } from '../../src/store/cluster/cluster-store.ts';
import {
  bundleName,
  type ClusterPlace,
  type ConfigMapObject,
  configMapRef,
  filesOf,
  type SecretObject,
  secretRef,
} from '../../src/store/cluster/objects.ts';
import { identifyThisProcess } from '../../src/store/directory/process-identity.ts';
import { defaultNames } from '../../src/store/file-names.ts';
import { type ApiServer, startApiServer } from './api-server/server.ts';
import { makeBundle } from './bundles.ts';
import { renewInput } from './trust-directory.ts';

const namespace = 'dapr-system';

/** As Helm has made them, with keys of Dapr's that are none of ours. */
const owned = {
  labels: { 'app.kubernetes.io/managed-by': 'Helm', 'app.kubernetes.io/part-of': 'dapr' },
  annotations: { 'meta.helm.sh/release-name': 'dapr', 'meta.helm.sh/release-namespace': namespace },
};

/** Secret and ConfigMap of a control plane on the tests' own API server. */
export interface TrustCluster {
  readonly server: ApiServer;
  readonly place: ClusterPlace;
  /** No wait, unless said otherwise. Another client where one is given. */
  store(options?: Partial<ClusterStoreOptions>, cluster?: Cluster): ClusterStore;
  renew(input?: Partial<RenewInput>, options?: Partial<ClusterStoreOptions>, cluster?: Cluster): Promise<RenewalReport>;
  secret(): SecretObject | undefined;
  configMap(): ConfigMapObject | undefined;
  /** What the Secret holds. */
  files(): FoundFiles;
  /** Puts both objects back as a fresh bundle. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

export async function startTrustCluster(shape: { readonly hasConfigMap?: boolean } = {}): Promise<TrustCluster> {
  const { hasConfigMap = true } = shape;
  const server = await startApiServer();
  const flags = { context: undefined, kubeconfig: server.kubeconfig(), 'request-timeout': 5 };
  const cluster = await openCluster(flags, {});
  const place: ClusterPlace = { cluster, namespace, names: defaultNames, hasConfigMap };
  const store = (options: Partial<ClusterStoreOptions> = {}, other: Cluster = cluster) =>
    new ClusterStore({ ...place, cluster: other }, { ...storeOptions, ...options });
  const secret = () => server.store.get<SecretObject>(secretRef(place));
  const reset = async () => {
    const objects = await bundleObjects();
    server.store.put(...(hasConfigMap ? objects : objects.slice(0, 1)));
  };
  await reset();
  return {
    server,
    place,
    store,
    renew: (input, options, other) => renew(store(options, other), renewInput(input)),
    secret,
    configMap: () => server.store.get<ConfigMapObject>(configMapRef(place)),
    files: () => filesOf(secret(), defaultNames),
    reset,
    stop: async () => {
      cluster.close();
      await server.stop();
    },
  };
}

const storeOptions: ClusterStoreOptions = {
  now: () => new Date(),
  sleep,
  sleepThrough: sleep,
  pauseMs: 0,
  watchMs: 0,
  takeOverMs: 0,
  holder: 'tests',
  process: identifyThisProcess(),
  isDead: () => false,
  newId: () => randomBytes(8).toString('hex'),
  assertRunning: () => undefined,
  uninterrupted: (work) => work(),
  onProgress: () => undefined,
};

/** Secret, then ConfigMap. */
async function bundleObjects(): Promise<readonly KubeObject[]> {
  const { anchors, issuerChain, issuerKey } = (await makeBundle({ at: new Date() })).files;
  const metadata = { name: bundleName, namespace, ...owned };
  const secret: SecretObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata,
    type: 'Opaque',
    data: {
      'ca.crt': anchors.toString('base64'),
      'issuer.crt': issuerChain.toString('base64'),
      'issuer.key': issuerKey.toString('base64'),
      'jwt.key': Buffer.from('a key that is none of ours').toString('base64'),
    },
  };
  const configMap: ConfigMapObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata,
    data: { 'ca.crt': anchors.toString('utf8'), 'jwks.json': '{}' },
  };
  return [secret, configMap];
}
