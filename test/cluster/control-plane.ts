import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Authority } from './authority.ts';
import { findPorts } from './ports.ts';
import { encodeStages } from './stages.ts';

export const host = '127.0.0.1';

/** The command lines of the programs of one cluster. */
export interface ControlPlane {
  readonly server: string;
  readonly etcd: readonly string[];
  readonly apiServer: readonly string[];
  readonly controllerManager: readonly string[];
  readonly scheduler: readonly string[];
  readonly kwok: readonly string[];
}

/** Draws the ports, and writes the files that the programs read into `folder`. */
export async function planControlPlane(
  folder: string,
  authority: Authority,
  paths: { readonly caFile: string; readonly kubeconfig: string },
): Promise<ControlPlane> {
  const [etcdPort, peerPort, port] = await findPorts(host, 3);
  const etcdUrl = `http://${host}:${etcdPort}`;
  const peerUrl = `http://${host}:${peerPort}`;
  const server = `https://${host}:${port}`;
  const file = (name: string, content: string) => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const serving = authority.issueServer(host);
  const accountKey = file('service-accounts.key', newAccountKey());
  const client = `--kubeconfig=${paths.kubeconfig}`;
  // The defaults are for a cluster in which nobody waits.
  const brisk = ['--kube-api-qps=300', '--kube-api-burst=600'];
  const alone = ['--leader-elect=false', '--secure-port=0'];
  return {
    server,
    etcd: [
      '--name=etcd',
      `--data-dir=${join(folder, 'etcd')}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=etcd=${peerUrl}`,
      '--unsafe-no-fsync',
      '--log-level=warn',
    ],
    apiServer: [
      `--etcd-servers=${etcdUrl}`,
      `--bind-address=${host}`,
      `--advertise-address=${host}`,
      `--secure-port=${port}`,
      `--cert-dir=${folder}`,
      `--tls-cert-file=${file('server.crt', serving.certificate)}`,
      `--tls-private-key-file=${file('server.key', serving.key)}`,
      `--client-ca-file=${paths.caFile}`,
      `--service-account-key-file=${accountKey}`,
      `--service-account-signing-key-file=${accountKey}`,
      `--service-account-issuer=${server}`,
      '--service-cluster-ip-range=10.0.0.0/16',
      '--authorization-mode=RBAC',
      '--allow-privileged',
    ],
    controllerManager: [
      client,
      `--service-account-private-key-file=${accountKey}`,
      `--root-ca-file=${paths.caFile}`,
      '--use-service-account-credentials=false',
      '--controllers=*,-nodeipam',
      // No simulated node has a heartbeat, and none must lose its pods for that.
      '--node-monitor-grace-period=24h',
      ...alone,
      ...brisk,
    ],
    scheduler: [client, ...alone, ...brisk],
    kwok: [client, '--manage-all-nodes=true', '--cidr=10.64.0.1/12', `--config=${file('stages.yaml', encodeStages())}`],
  };
}

function newAccountKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}
