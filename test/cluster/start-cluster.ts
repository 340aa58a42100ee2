import { generateKeyPairSync, randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Admin, clusterEnv, isReady, type KubeJson, openAdmin, runProgram } from './admin.ts';
import { type Authority, makeAuthority } from './authority.ts';
import { buildPrograms } from './build-programs.ts';
import { startGuard } from './guard.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { type Service, startService } from './service.ts';
import { encodeStages } from './stages.ts';
import { addUser, type Grant, type UserOptions } from './users.ts';
import { waitUntil } from './wait.ts';

export interface ClusterOptions {
  /** Further flags of kube-apiserver, such as `--max-requests-inflight=50`. */
  readonly apiServerFlags?: readonly string[];
  /** How many simulated nodes there are; 2 unless told. */
  readonly nodes?: number;
}

/** A real control plane on 127.0.0.1, whose nodes are simulated. */
export interface TestCluster {
  /** Path of a kubeconfig that may do everything, by client certificate. */
  readonly kubeconfig: string;
  /** `https://127.0.0.1:PORT` */
  readonly server: string;
  /** Where everything of the cluster lies; gone after `stop`. */
  readonly folder: string;
  /** Path of the certificate that signed the API server's and the users'. */
  readonly caFile: string;
  readonly authority: Authority;
  readonly admin: Admin;
  /** Makes a user who may do exactly that, and returns the path of a kubeconfig. */
  addUser(name: string, grants: readonly Grant[], options?: UserOptions): Promise<string>;
  /** Runs helm and returns what it prints. */
  helm(args: readonly string[]): Promise<string>;
  /** Aborted as soon as the cluster is being stopped. */
  readonly stopped: AbortSignal;
  stop(): Promise<void>;
}

const host = '127.0.0.1';

/**
 * Starts etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok, and waits until pods
 * can run. They end with the tests, however these end. It takes about five seconds.
 * @throws Error with the last words of the program that did not come up
 */
export async function startCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  const programs = await buildPrograms();
  const folder = mkdtempSync(join(tmpdir(), 'dapr-mtls-cluster-'));
  const guard = startGuard(folder);
  const services: Service[] = [];
  const start = (name: keyof typeof programs, args: readonly string[]) => {
    const service = startService(name, programs[name], args, { folder, guard });
    services.push(service);
    return service;
  };
  const stop = async () => {
    // Clients first: none of them has to learn that its server is gone.
    for (const service of services.reverse()) await service.stop();
    guard.dismiss();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const authority = makeAuthority();
    const [etcdPort, peerPort, port] = await findPorts(3);
    const etcdUrl = `http://${host}:${etcdPort}`;
    const server = `https://${host}:${port}`;
    const file = (name: string, content: string) => {
      const path = join(folder, name);
      writeFileSync(path, content, { mode: 0o600 });
      return path;
    };
    const caFile = file('ca.crt', authority.certificate);
    const serving = authority.issueServer(host);
    const accountKey = file('service-accounts.key', newAccountKey());
    const identity = authority.issueClient('admin', ['system:masters']);
    const kubeconfig = join(folder, 'admin.kubeconfig');
    writeKubeconfig(kubeconfig, {
      server,
      caCertificate: authority.certificate,
      user: 'admin',
      credentials: identity,
    });

    const etcd = start('etcd', [
      '--name=etcd',
      `--data-dir=${join(folder, 'etcd')}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=http://${host}:${peerPort}`,
      `--initial-advertise-peer-urls=http://${host}:${peerPort}`,
      `--initial-cluster=etcd=http://${host}:${peerPort}`,
      '--unsafe-no-fsync',
      '--log-level=warn',
    ]);
    const apiServer = start('kube-apiserver', [
      `--etcd-servers=${etcdUrl}`,
      `--bind-address=${host}`,
      `--advertise-address=${host}`,
      `--secure-port=${port}`,
      `--cert-dir=${folder}`,
      `--tls-cert-file=${file('server.crt', serving.certificate)}`,
      `--tls-private-key-file=${file('server.key', serving.key)}`,
      `--client-ca-file=${caFile}`,
      `--service-account-key-file=${accountKey}`,
      `--service-account-signing-key-file=${accountKey}`,
      `--service-account-issuer=${server}`,
      '--service-cluster-ip-range=10.0.0.0/16',
      '--authorization-mode=RBAC',
      '--allow-privileged',
      ...(options.apiServerFlags ?? []),
    ]);
    const admin = openAdmin({
      server,
      caCertificate: authority.certificate,
      identity,
      kubeconfig,
      kubectl: programs.kubectl,
      folder,
    });
    await whileAlive([etcd, apiServer], async () => {
      await waitUntil('kube-apiserver is ready', async () => (await admin.request('GET', '/readyz')).status === 200);
    });

    const client = [`--kubeconfig=${kubeconfig}`];
    const rest = [
      start('kube-controller-manager', [
        ...client,
        `--service-account-private-key-file=${accountKey}`,
        `--root-ca-file=${caFile}`,
        '--use-service-account-credentials=false',
        '--controllers=*,-nodeipam',
        '--leader-elect=false',
        '--secure-port=0',
        '--kube-api-qps=300',
        '--kube-api-burst=600',
        // A node whose heartbeat a busy machine delays must not lose its pods.
        '--node-monitor-grace-period=10m',
      ]),
      start('kube-scheduler', [
        ...client,
        '--leader-elect=false',
        '--secure-port=0',
        '--kube-api-qps=300',
        '--kube-api-burst=600',
      ]),
      start('kwok', [
        ...client,
        '--manage-all-nodes=true',
        '--cidr=10.64.0.1/12',
        `--config=${file('stages.yaml', encodeStages())}`,
      ]),
    ];
    await whileAlive([etcd, apiServer, ...rest], () => addNodes(admin, options.nodes ?? 2));

    const stopping = new AbortController();
    return {
      kubeconfig,
      server,
      folder,
      caFile,
      authority,
      admin,
      addUser: (name, grants, userOptions) =>
        addUser({ admin, authority, server, folder }, name, grants, userOptions ?? {}),
      helm: (args) => runProgram(programs.helm, args, clusterEnv(kubeconfig, folder)),
      stopped: stopping.signal,
      stop: async () => {
        stopping.abort();
        admin.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Nodes that kwok keeps alive, ready and without taints; and the account that every pod needs. */
async function addNodes(admin: Admin, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `node-${index + 1}`);
  for (const name of names) {
    await admin.request('POST', '/api/v1/nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
    });
  }
  await waitUntil('the nodes are ready', async () => {
    const { body } = await admin.request('GET', '/api/v1/nodes');
    const nodes = (body.items ?? []) as KubeJson[];
    return nodes.filter((node) => isReady(node) && (node.spec.taints ?? []).length === 0).length === count;
  });
  await waitUntil('the default service account is there', async () => {
    const { status } = await admin.request('GET', '/api/v1/namespaces/default/serviceaccounts/default');
    return status === 200;
  });
}

/** Does the work, and gives up as soon as one of the services is no more. */
async function whileAlive(services: readonly Service[], work: () => Promise<void>): Promise<void> {
  const deaths = services.map(async ({ name, ended }) => {
    throw new Error(`${name} has ended:\n${await ended}`);
  });
  await Promise.race([work(), ...deaths]);
}

function newAccountKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}

/**
 * Ports that nobody has. Not those that the system would choose: these are given to outgoing
 * connections, too, and a server may take seconds until it listens.
 */
async function findPorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = randomInt(20_000, 32_000);
    if (!ports.includes(port) && (await isFree(port))) ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
