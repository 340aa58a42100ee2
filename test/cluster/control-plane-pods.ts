import type { BundleFiles } from '../../src/pki/bundle.ts';
import { type ControlPlaneOptions, controlPlaneObjects } from '../support/dapr-control-plane.ts';
import type { KubeJson } from './admin.ts';
import type { TestCluster } from './start-cluster.ts';
import { waitUntil } from './wait.ts';

const namespace = 'dapr-system';
const bundleName = 'dapr-trust-bundle';

/** In the order in which Dapr's own CLI and ours list them. */
export const services = [
  'dapr-sentry',
  'dapr-sidecar-injector',
  'dapr-operator',
  'dapr-placement-server',
  'dapr-scheduler-server',
] as const;

/**
 * Brings a control plane that is installed to another shape, as an upgrade of its chart does: the
 * bundle and the webhook stay as they are. Returns when all pods are of the new shape, and ready.
 */
export async function reshape({ admin }: TestCluster, wishes: ControlPlaneOptions): Promise<void> {
  // Most of a StatefulSet cannot be changed.
  await admin.kubectl(['delete', 'statefulsets', '--all', '-n', namespace, '--wait=true']);
  const kept = ['Secret', 'ConfigMap', 'MutatingWebhookConfiguration'];
  const objects = (controlPlaneObjects(wishes) as readonly KubeJson[]).filter(({ kind }) => !kept.includes(kind));
  await admin.apply(objects, 'helm');
  for (const { kind, metadata } of objects) {
    if (kind !== 'Deployment' && kind !== 'StatefulSet') continue;
    await admin.kubectl(['rollout', 'status', `${kind}/${metadata.name}`, '-n', namespace, '--timeout=120s']);
  }
}

/**
 * Puts a bundle there as in a cluster whose chart was given none: Helm has made empty objects, and
 * Sentry has written the data.
 */
export async function layAsSentry({ admin }: TestCluster, files: BundleFiles, version?: string): Promise<void> {
  const wishes = version === undefined ? {} : { version };
  const objects = (controlPlaneObjects(wishes) as readonly KubeJson[]).filter(
    ({ metadata }) => metadata.name === bundleName,
  );
  await admin.apply(objects, 'helm');
  const text = (bytes: Buffer) => bytes.toString('utf8');
  const patch = (kind: string, body: object) => {
    const words = ['patch', kind, bundleName, '-n', namespace, '--type=merge', '--field-manager=sentry'];
    return admin.kubectl([...words, '-p', JSON.stringify(body)]);
  };
  const { anchors, issuerChain, issuerKey } = files;
  await patch('secret', {
    stringData: { 'ca.crt': text(anchors), 'issuer.crt': text(issuerChain), 'issuer.key': text(issuerKey) },
  });
  if (objects.length > 1) await patch('configmap', { data: { 'ca.crt': text(anchors) } });
}

/** Takes all of it away, the bundle included, and waits until no pod is left. */
export async function uninstall({ admin }: TestCluster): Promise<void> {
  const kinds = 'deployments,statefulsets,secrets,configmaps,configurations.dapr.io';
  await admin.kubectl(['delete', kinds, '--all', '-n', namespace, '--wait=true']);
  await waitUntil('no pod is left', async () => (await admin.list('pods', namespace)).length === 0);
}

/** Of the pods of every service: are they Running, and all made by the last restart? */
export async function whyNotRestarted({ admin }: TestCluster, since: string): Promise<string[]> {
  const [workloads, pods] = await Promise.all([
    admin.list('deployments,statefulsets', namespace),
    admin.list('pods', namespace),
  ]);
  const wrong: string[] = [];
  for (const { metadata, spec } of workloads) {
    const { name } = metadata;
    const restarted = spec.template.metadata.annotations?.[restartedAt];
    if (restarted === undefined || restarted < since) wrong.push(`${name} was not restarted`);
    const own = pods.filter((pod) => pod.metadata.labels?.app === name && !pod.metadata.deletionTimestamp);
    if (own.length !== spec.replicas) wrong.push(`${name} has ${own.length} pods of ${spec.replicas}`);
    for (const pod of own) {
      if (pod.status.phase !== 'Running') wrong.push(`${pod.metadata.name} is ${pod.status.phase}`);
      if (pod.metadata.annotations?.[restartedAt] !== restarted) wrong.push(`${pod.metadata.name} is an old one`);
    }
  }
  return wrong;
}

const restartedAt = 'kubectl.kubernetes.io/restartedAt';
