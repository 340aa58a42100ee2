import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Admin, openAdmin } from '../../test/cluster/admin.ts';
import { makeAuthority } from '../../test/cluster/authority.ts';
import { buildPrograms, type ClusterProgram } from '../../test/cluster/build-programs.ts';
import { planControlPlane } from '../../test/cluster/control-plane.ts';
import { startGuard } from '../../test/cluster/guard.ts';
import { writeKubeconfig } from '../../test/cluster/kubeconfig.ts';
import { type Service, startService } from '../../test/cluster/service.ts';
import { waitUntil } from '../../test/cluster/wait.ts';
import { makeBundle } from '../../test/support/bundles.ts';
import type { Manifest } from '../../test/support/dapr/manifest.ts';
import { runningControlPlane } from '../../test/support/dapr-control-plane.ts';
import type { BenchServer } from './bench-server.ts';
import { makeGenerations, makePods, namespaces } from './pods.ts';

/** etcd and kube-apiserver alone: controllers would remove pods whose ReplicaSets are made up. */
export async function startReal(): Promise<BenchServer> {
  const programs = await buildPrograms();
  const folder = mkdtempSync(join(tmpdir(), 'dapr-mtls-bench-'));
  const guard = startGuard(folder);
  const services: Service[] = [];
  const start = (name: ClusterProgram, args: readonly string[]) =>
    services.push(startService(name, programs[name], args, { folder, guard }));
  const file = (name: string, content: string) => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const authority = makeAuthority();
  const identity = authority.issueClient('admin', ['system:masters']);
  const caCertificate = authority.certificate;
  const ca = file('ca.crt', caCertificate);
  const kubeconfig = join(folder, 'kubeconfig');
  const { server: url, etcd, apiServer } = await planControlPlane(folder, authority, { caFile: ca, kubeconfig });
  writeKubeconfig(kubeconfig, { server: url, caCertificate, user: 'admin', credentials: identity });
  const { kubectl } = programs;
  const admin = openAdmin({ server: url, caCertificate, identity, kubeconfig, kubectl, folder });

  const stop = async () => {
    admin.close();
    for (const service of services.reverse()) await service.stop();
    guard.dismiss();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    start('etcd', etcd);
    start('kube-apiserver', [...apiServer, '--disable-admission-plugins=ServiceAccount']);
    await waitUntil('kube-apiserver is ready', async () => (await admin.request('GET', '/readyz')).status === 200);
    const { files } = await makeBundle({ at: new Date() });
    await layControlPlane(admin, files);
    const anchors = await makeGenerations(files);
    await Promise.all(namespaces.map((name) => lay(admin, namespaceOf(name))));
    let made = 0;
    return {
      kind: 'real',
      access: {
        url,
        kubeconfig,
        ca,
        cert: file('client.crt', identity.certificate),
        key: file('client.key', identity.key),
        kubectl,
      },
      fill: async (count) => {
        await layAll(admin, makePods(count, anchors).slice(made));
        made = Math.max(made, count);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const definitionFile = new URL('../cluster/chart/crds/configuration.yaml', import.meta.url);

async function layControlPlane(admin: Admin, bundle: { anchors: Buffer; issuerChain: Buffer; issuerKey: Buffer }) {
  await lay(admin, parse(readFileSync(definitionFile, 'utf8')));
  await waitUntil('Configurations are served', async () => {
    const { status } = await admin.request('GET', '/apis/dapr.io/v1alpha1/configurations');
    return status === 200;
  });
  for (const object of runningControlPlane({ bundle, volumeClaims: false })) {
    // Nobody answers behind it, and it would be asked for each pod.
    if (object.kind !== 'MutatingWebhookConfiguration') await lay(admin, object);
  }
}

async function layAll(admin: Admin, objects: readonly Manifest[]): Promise<void> {
  const queue = objects.values();
  const work = async () => {
    for (const object of queue) await lay(admin, object);
  };
  await Promise.all(Array.from({ length: 16 }, work));
}

/** Makes an object, and then gives it its status, which an API server leaves out of what is made. */
async function lay(admin: Admin, { status, ...object }: Manifest): Promise<void> {
  const { apiVersion, kind, metadata } = object;
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  const path = `${root}${scope}/${kind.toLowerCase()}s`;
  await succeed(admin, 'POST', path, object);
  if (status === undefined || kind === 'CustomResourceDefinition') return;
  await succeed(admin, 'PATCH', `${path}/${metadata.name}/status`, { status }, 'application/merge-patch+json');
}

async function succeed(admin: Admin, method: string, path: string, body: object, type?: string): Promise<void> {
  const answer = await admin.request(method, path, body, type);
  if (answer.status > 299) throw new Error(`${method} ${path}: ${answer.status} ${answer.body.message}`);
}

function namespaceOf(name: string): Manifest {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}
