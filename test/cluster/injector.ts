import { createPrivateKey } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { readCertificate } from '../../src/pki/certificate.ts';
import { decodeAsGo } from '../../src/pki/pem.ts';
import type { Admin, KubeJson } from './admin.ts';
import { type Identity, issueServer } from './authority.ts';
import { injectSidecar, isBefore, type SidecarOptions, wantsSidecar } from './sidecar.ts';
import type { TestCluster } from './start-cluster.ts';

export interface InjectorOptions extends Partial<SidecarOptions> {
  /**
   * Who vouches for the webhook: the trust bundle, as in Dapr (unless told), so that a broken bundle
   * is a broken webhook; or the cluster's own authority, so that pods are injected whatever it is.
   */
  readonly vouchedBy?: 'bundle' | 'cluster';
}

/** An admission webhook that gives pods a sidecar, in the place of Dapr's. */
export interface Injector {
  /** Takes its certificate anew from the live bundle, and writes the webhook's caBundle. */
  refresh(): Promise<void>;
  /** Pods that got a sidecar so far. */
  readonly injected: () => number;
}

const host = '127.0.0.1';
const name = 'dapr-sidecar-injector';
const bundle = 'dapr-trust-bundle';

/**
 * Starts the webhook and registers it as `dapr-sidecar-injector`. Each pod gets the anchors that are
 * live when it is made. As in Dapr, the certificate and the caBundle follow a change of the bundle
 * only when the pods of the Deployment `dapr-sidecar-injector` have been replaced. It ends with the cluster.
 */
export async function startInjector(cluster: TestCluster, options: InjectorOptions = {}): Promise<Injector> {
  const { admin } = cluster;
  const sidecar: SidecarOptions = {
    version: '1.17.13',
    registry: 'ghcr.io/dapr',
    namespace: 'dapr-system',
    trustDomain: 'cluster.local',
    isNative: false,
    ...options,
  };
  let injected = 0;
  const review = async (request: KubeJson): Promise<object> => {
    const pod = request.object as KubeJson;
    if (!wantsSidecar(pod)) return { allowed: true };
    const owned = { ...pod, metadata: { ...pod.metadata, namespace: request.namespace } };
    const patch = injectSidecar(owned, await readAnchors(admin, sidecar), sidecar);
    if (request.dryRun !== true) injected += 1;
    return { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
  };
  const server = await listen(review);
  cluster.stopped.addEventListener('abort', () => server.close().closeAllConnections());

  const { port } = server.address() as AddressInfo;
  const refresh = async () => {
    const { identity, caBundle } =
      options.vouchedBy === 'cluster'
        ? { identity: cluster.authority.issueServer(host), caBundle: cluster.authority.certificate }
        : await issueByBundle(admin, sidecar);
    server.setSecureContext({ key: identity.key, cert: identity.certificate });
    await register(admin, `https://${host}:${port}/mutate`, caBundle);
  };
  await refresh();
  void followRestarts(cluster, sidecar.namespace, refresh);
  return { refresh, injected: () => injected };
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

/** Up to 1.11 there is the Secret alone. */
async function readAnchors(admin: Admin, { namespace, version }: SidecarOptions): Promise<string> {
  if (isBefore(version, 12)) return (await readSecret(admin, namespace))['ca.crt'] ?? '';
  const { status, body } = await admin.request('GET', `/api/v1/namespaces/${namespace}/configmaps/${bundle}`);
  if (status !== 200 || !body.data?.['ca.crt']) throw new Error(`no anchors in the ConfigMap ${bundle}`);
  return body.data['ca.crt'] as string;
}

async function readSecret(admin: Admin, namespace: string): Promise<Record<string, string>> {
  const { status, body } = await admin.request('GET', `/api/v1/namespaces/${namespace}/secrets/${bundle}`);
  if (status !== 200) throw new Error(`no Secret ${bundle} in ${namespace}`);
  const data = Object.entries((body.data ?? {}) as Record<string, string>);
  return Object.fromEntries(data.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

async function issueByBundle(
  admin: Admin,
  options: SidecarOptions,
): Promise<{ readonly identity: Identity; readonly caBundle: string }> {
  const secret = await readSecret(admin, options.namespace);
  const chain = secret['issuer.crt'] ?? '';
  const [issuer] = decodeAsGo(Buffer.from(chain));
  if (issuer === undefined) throw new Error(`no issuer in the Secret ${bundle}`);
  const { subjectDer } = readCertificate(issuer.der).detail;
  const { certificate, key } = issueServer(host, {
    name: subjectDer,
    key: createPrivateKey(secret['issuer.key'] ?? ''),
  });
  return { identity: { certificate: certificate + chain, key }, caBundle: await readAnchors(admin, options) };
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
