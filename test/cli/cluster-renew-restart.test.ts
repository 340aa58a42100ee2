import { afterEach, beforeEach, expect, test } from 'vitest';
import type { KubeObject } from '../../src/kube/port.ts';
import { resources } from '../../src/kube/resources.ts';
import { type RollingWorkload, workloadRef } from '../../src/kube/rollout/workload.ts';
import { type ConfigMapObject, configMapRef, type SecretObject, secretRef } from '../../src/store/cluster/objects.ts';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { dayMs, makeBundle } from '../support/bundles.ts';
import { run } from '../support/command-line.ts';
import { statusOf } from '../support/dapr/rollout.ts';
import { runningControlPlane } from '../support/dapr-control-plane.ts';
import { makeFolder } from '../support/workplace.ts';

const folder = makeFolder('cluster-renew-restart');
const namespace = 'dapr-system';
const old = await makeBundle({ at: new Date(Date.now() - 40 * dayMs), rootValidMs: 30 * dayMs });
const foreign = await makeBundle({ at: new Date() });

let server: ApiServer;

beforeEach(async () => {
  server = await startApiServer();
  server.store.put(...runningControlPlane({ bundle: old.files }));
});
afterEach(() => server.stop());

/** The controllers, and the injector, which brings the live anchors to its webhook when it starts. */
function rollEverything(onBack: (name: string) => void = () => undefined): void {
  server.store.subscribe(({ type, object }) => {
    const { kind, metadata, status } = object as unknown as RollingWorkload;
    if (type !== 'MODIFIED' || (kind !== 'Deployment' && kind !== 'StatefulSet')) return;
    if ((metadata.generation ?? 0) <= (status?.observedGeneration ?? 0)) return;
    setTimeout(() => {
      server.store.change<KubeObject>(workloadRef(kind, namespace, metadata.name), settled);
      if (metadata.name === 'dapr-sidecar-injector') publishAnchors();
      onBack(metadata.name);
    }, 10);
  });
}

function settled(workload: KubeObject): object {
  const whole = workload as Parameters<typeof statusOf>[0];
  return { ...workload, status: statusOf(whole, whole.spec.replicas, new Date().toISOString()) };
}

function publishAnchors(): void {
  const anchors = server.store.get<ConfigMapObject>(configMapRef({ namespace }))?.data?.['ca.crt'] ?? '';
  const caBundle = Buffer.from(anchors).toString('base64');
  server.store.change<KubeObject & { webhooks: { clientConfig: object }[] }>(
    { resource: resources.mutatingWebhooks, name: 'dapr-sidecar-injector' },
    (webhook) => ({
      ...webhook,
      webhooks: webhook.webhooks.map((hook) => ({ ...hook, clientConfig: { ...hook.clientConfig, caBundle } })),
    }),
  );
}

/** What a Sentry does that read one object before the renewal and the other after it. */
function replaceBundle(): void {
  const { anchors, issuerChain, issuerKey } = foreign.files;
  const data = { 'ca.crt': anchors, 'issuer.crt': issuerChain, 'issuer.key': issuerKey };
  server.store.change<SecretObject>(secretRef({ namespace }), (secret) => ({
    ...secret,
    data: Object.fromEntries(Object.entries(data).map(([name, bytes]) => [name, bytes.toString('base64')])),
  }));
  server.store.change<ConfigMapObject>(configMapRef({ namespace }), (configMap) => ({
    ...configMap,
    data: { ...configMap.data, 'ca.crt': anchors.toString() },
  }));
}

const renew = (settle: string) =>
  run(['renew-certificate', '-k', '--restart', '--settle', settle], {
    cwd: folder,
    env: { KUBECONFIG: server.kubeconfig(), HOME: folder },
  });

test('a bundle that has ended is renewed and the control plane restarted on the new one', async () => {
  rollEverything();
  const { status, stdout, stderr } = await renew('1');
  expect(status, stderr).toBe(0);
  expect(stdout).toContain('All control plane services have restarted successfully!\n');
  expect(stderr).toMatch(/statefulsets\/dapr-scheduler-server is back .*\nWatching the bundle for 1 s more/);
  expect(stderr).toContain('Restart Sentry and every sidecar now: ');
  expect(stderr).not.toContain('does not verify');
});

test('a Sentry that makes a root of its own two seconds after the restart is noticed', async () => {
  rollEverything((name) => {
    if (name === 'dapr-scheduler-server') setTimeout(replaceBundle, 2000);
  });
  const { status, stdout, stderr } = await renew('5');
  expect({ status, stdout }).toEqual({ status: 6, stdout: 'Starting certificate rotation\n' });
  expect(stderr).toContain('Error: another bundle than the renewed one stands in the cluster after the restart');
});
