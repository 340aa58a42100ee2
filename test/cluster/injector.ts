import { createPrivateKey } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { readCertificate } from '../../src/pki/certificate.ts';
import { decodeAsGo } from '../../src/pki/pem.ts';
import { releaseOf } from '../support/dapr/release.ts';
import type { IssuerFilenames } from '../support/dapr/services.ts';
import type { Admin, KubeJson } from './admin.ts';
import { type Identity, issueServer } from './authority.ts';
import { host } from './control-plane.ts';
import { injectSidecar, type SidecarOptions, type SidecarTrust, wantsSidecar } from './sidecar.ts';
import type { TestCluster } from './start-cluster.ts';

export interface InjectorOptions {
  /** Dapr's; 1.17.13 unless told. */
  readonly version?: string;
  readonly variant?: string;
  /** The release's own unless told. */
  readonly registry?: string;
  readonly namespace?: string;
  readonly trustDomain?: string;
  readonly issuerFilenames?: IssuerFilenames;
  readonly isNative?: boolean;
  /**
   * Who vouches for the webhook: the trust bundle, as in Dapr since 1.12, so that a broken bundle is
   * a broken webhook; or the cluster's own authority, so that pods are injected whatever it is.
   */
  readonly vouchedBy?: 'bundle' | 'cluster';
}

/** An admission webhook that gives pods a sidecar, in the place of Dapr's. */
export interface Injector {
  /** Takes its certificate anew from the live bundle, and writes the webhook's caBundle. */
  refresh(): Promise<void>;
  /** Pods that got a sidecar so far. */
  readonly injected: () => number;
  /** From now on these anchors instead of the live ones, as one that has missed a change; undefined ends that. */
  giveOut(anchors: string | undefined): void;
}

const name = 'dapr-sidecar-injector';
const bundle = 'dapr-trust-bundle';

/**
 * Starts the webhook and registers it as `dapr-sidecar-injector`. Each pod gets the anchors that are
 * live when it is made. As in Dapr, the certificate and the caBundle follow a change of the bundle
 * only when the pods of the Deployment `dapr-sidecar-injector` have been replaced. It ends with the cluster.
 */
export async function startInjector(cluster: TestCluster, options: InjectorOptions = {}): Promise<Injector> {
  const { admin } = cluster;
  const release = releaseOf(options.version ?? '1.17.13', options.variant);
  const sidecar: SidecarOptions = {
    release,
    registry: options.registry ?? release.registry,
    namespace: options.namespace ?? 'dapr-system',
    trustDomain: options.trustDomain ?? 'cluster.local',
    isNative: options.isNative ?? false,
  };
  const { vouchedBy = release.hasConfigMap ? 'bundle' : 'cluster' } = options;
  const readTrust = () => readBundle(admin, sidecar, options.issuerFilenames);
  let injected = 0;
  let missed: string | undefined;
  const review = async (request: KubeJson): Promise<object> => {
    const pod = request.object as KubeJson;
    if (!wantsSidecar(pod) || !isServed(request.userInfo)) return { allowed: true };
    const owned = { ...pod, metadata: { ...pod.metadata, namespace: request.namespace } };
    const trust = await readTrust();
    const patch = injectSidecar(owned, { ...trust, anchors: missed ?? trust.anchors }, sidecar);
    if (request.dryRun !== true) injected += 1;
    return { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
  };
  const server = await listen(review);
  cluster.stopped.addEventListener('abort', () => server.close().closeAllConnections());

  const { port } = server.address() as AddressInfo;
  const refresh = async () => {
    const { identity, caBundle } =
      vouchedBy === 'cluster'
        ? { identity: cluster.authority.issueServer(host), caBundle: cluster.authority.certificate }
        : issueByBundle(await readTrust());
    server.setSecureContext({ key: identity.key, cert: identity.certificate });
    await register(admin, `https://${host}:${port}/mutate`, caBundle);
  };
  await refresh();
  void followRestarts(cluster, sidecar.namespace, refresh);
  return {
    refresh,
    injected: () => injected,
    giveOut: (anchors) => {
      missed = anchors;
    },
  };
}

/** Dapr's injector lets the pods of others pass as they are (`isAuthorizedUser` in pkg/injector/service). */
function isServed({ username, groups }: KubeJson): boolean {
  const isController = /^system:serviceaccount:kube-system:(replicaset|statefulset|daemon-set|job)-controller$/;
  return isController.test(username) || (groups ?? []).includes('system:masters');
}

async function listen(review: (request: KubeJson) => Promise<object>): Promise<Server> {
  const server = createServer((request, response) => {
    json(request)
      .then(async (body) => {
        const { apiVersion, kind, request: asked } = body as KubeJson;
        const answer = { apiVersion, kind, response: { uid: asked.uid, ...(await review(asked)) } };
        response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
      })
      .catch(() => response.writeHead(500).end());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  server.unref();
  return server;
}

/** What is live: up to 1.11 the Secret alone, then the anchors of the ConfigMap. */
async function readBundle(
  admin: Admin,
  { namespace, release }: SidecarOptions,
  { ca, cert, key }: IssuerFilenames = { ca: 'ca.crt', cert: 'issuer.crt', key: 'issuer.key' },
): Promise<SidecarTrust> {
  const read = async (plural: string) => {
    const { status, body } = await admin.request('GET', `/api/v1/namespaces/${namespace}/${plural}/${bundle}`);
    if (status !== 200) throw new Error(`${namespace} has no ${bundle} among its ${plural}`);
    return (body.data ?? {}) as Record<string, string>;
  };
  const secret = await read('secrets');
  const decode = (file: string) => Buffer.from(secret[file] ?? '', 'base64').toString();
  const anchors = release.hasConfigMap ? (await read('configmaps'))[ca] : decode(ca);
  if (!anchors) throw new Error(`${bundle} in ${namespace} holds no anchors`);
  return { anchors, issuerChain: decode(cert), issuerKey: decode(key) };
}

function issueByBundle({ anchors, issuerChain, issuerKey }: SidecarTrust): {
  readonly identity: Identity;
  readonly caBundle: string;
} {
  const [issuer] = decodeAsGo(Buffer.from(issuerChain));
  if (issuer === undefined) throw new Error(`no issuer in the Secret ${bundle}`);
  const signer = { name: readCertificate(issuer.der).detail.subjectDer, key: createPrivateKey(issuerKey) };
  const { certificate, key } = issueServer(host, signer);
  return { identity: { certificate: certificate + issuerChain, key }, caBundle: anchors };
}

async function register(admin: Admin, url: string, caBundle: string): Promise<void> {
  await admin.apply([
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name, labels: { app: name } },
      webhooks: [
        {
          name: 'sidecar-injector.dapr.io',
          clientConfig: { url, caBundle: Buffer.from(caBundle).toString('base64') },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] }],
          failurePolicy: 'Ignore',
          sideEffects: 'None',
          admissionReviewVersions: ['v1', 'v1beta1'],
        },
      ],
    },
  ]);
}

/** A new process of the injector reads the bundle; one that runs does not. */
async function followRestarts(cluster: TestCluster, namespace: string, refresh: () => Promise<void>): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=app%3D${name}`;
  let known: string | undefined;
  while (!cluster.stopped.aborted) {
    try {
      const { body } = await cluster.admin.request('GET', path);
      const running = ((body.items ?? []) as KubeJson[]).filter(({ status }) => status?.phase === 'Running');
      const pods = running.map(({ metadata }) => metadata.uid).sort();
      const seen = pods.join();
      if (known !== undefined && seen !== known && pods.length > 0) await refresh();
      known = seen;
    } catch {
      // A bundle that is missing or broken just now: the next process may find a better one.
      known = '';
    }
    await pause(250, undefined, { ref: false });
  }
}
