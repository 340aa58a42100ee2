import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import type { Program, Run } from '../support/program.ts';
import type { KubeJson } from './admin.ts';
import type { TestCluster } from './start-cluster.ts';

/** A service account with the rights that `manifest watch` prints, and no others. */
export interface WatcherAccount {
  readonly kubeconfig: string;
  /** Writes a new token where the kubelet would. */
  renewToken(): Promise<void>;
  /** The API server takes the token that was written last for some seconds more, and then no more. */
  revokeToken(): Promise<void>;
}

const system = 'dapr-system';
const kinds = ['ServiceAccount', 'Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'];

export async function makeWatcherAccount(cluster: TestCluster, program: Program): Promise<WatcherAccount> {
  const printed = await program.run(['manifest', 'watch', '--image', 'registry.example/dapr-mtls:0.1.0']);
  if (printed.exitCode !== 0) throw new Error(printed.stderr);
  const objects = parseAllDocuments(printed.stdout).map((document) => document.toJS() as KubeJson);
  const rights = objects.filter(({ kind }) => kinds.includes(kind));
  await cluster.admin.apply(rights);
  const account = rights.find(({ kind }) => kind === 'ServiceAccount')?.metadata.name;
  const [tokenFile, kubeconfig] = [join(cluster.folder, 'watcher.token'), join(cluster.folder, 'watcher.kubeconfig')];
  const access = { cluster: { server: cluster.server, 'certificate-authority': cluster.caFile }, name: 'test' };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [access],
    users: [{ name: 'watcher', user: { tokenFile } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'watcher' } }],
  };
  writeFileSync(kubeconfig, stringify(config));
  let issued = 0;
  const renewToken = async () => {
    issued += 1;
    const holder = `token-${issued}`;
    await cluster.admin.apply([{ apiVersion: 'v1', kind: 'Secret', metadata: { name: holder, namespace: system } }]);
    const bound = ['--bound-object-kind', 'Secret', '--bound-object-name', holder];
    const token = await cluster.admin.kubectl(['create', 'token', account, '-n', system, ...bound]);
    writeFileSync(tokenFile, token.trim());
  };
  await renewToken();
  return {
    kubeconfig,
    renewToken,
    revokeToken: async () => {
      await cluster.admin.kubectl(['delete', 'secret', `token-${issued}`, '-n', system]);
    },
  };
}

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly time: string;
}

/** A watcher that runs, and what it has said. */
export interface Watcher {
  readonly pid: number;
  readonly lines: readonly LogLine[];
  /** How often it has said so. */
  count(words: string | RegExp): number;
  memory(): number;
  /** Of user and system, in seconds. */
  cpu(): number;
  /** By SIGTERM; how long it took, and the exit code. */
  stop(): Promise<{ readonly exitCode: number; readonly tookMs: number }>;
  readonly run: Run;
}

export function startWatcher(program: Program, args: readonly string[]): Watcher {
  const run = program.start(['watch', '-k', '--namespace', system, '--format', 'json', ...args]);
  const { child } = run;
  const lines: LogLine[] = [];
  let rest = '';
  child.stdout?.on('data', (text: string) => {
    const parts = `${rest}${text}`.split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts.map((line) => JSON.parse(line) as LogLine));
  });
  const pid = child.pid ?? 0;
  const file = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'utf8');
  return {
    pid,
    lines,
    run,
    count: (words) =>
      lines.filter(({ msg }) => (typeof words === 'string' ? msg.includes(words) : words.test(msg))).length,
    memory: () => Number(/^Rss:\s+(\d+)/m.exec(file('smaps_rollup'))?.[1]) / 1024,
    cpu: () => {
      // Behind the name, which may hold anything: utime and stime in hundredths.
      const fields = file('stat').split(') ').at(-1)?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) / 100;
    },
    stop: async () => {
      const startedMs = performance.now();
      child.kill('SIGTERM');
      const { exitCode } = await run.ended;
      return { exitCode, tookMs: performance.now() - startedMs };
    },
  };
}
