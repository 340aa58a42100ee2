import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Manifest } from '../../src/cli/help.ts';
import type { ObjectMeta } from '../../src/kube/port.ts';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { makeBundle } from '../support/bundles.ts';
import { packageHome, run, runAny } from '../support/command-line.ts';
import { type ControlPlaneOptions, runningControlPlane } from '../support/dapr-control-plane.ts';
import { shellCommandOf } from '../support/program-under-test.ts';
import { makeFolder, makeWorkplace } from '../support/workplace.ts';

const manifest = JSON.parse(readFileSync(`${packageHome}oclif.manifest.json`, 'utf8')) as Manifest;
const examples = Object.entries(manifest.commands).flatMap(([id, { examples = [] }]) =>
  examples.map(({ command, description }) => ({ id: id.replaceAll(':', ' '), command, description })),
);
const parent = makeFolder('examples');

/** `dapr-mtls` and `dapr mtls`, as a user has them on the PATH. */
const onPath = `dapr-mtls() { ${shellCommandOf('dapr-mtls')} "$@"; }\n`;

/** These say by their exit code what they were asked: 10 is an answer, and so is 8 of who waits at a gate. */
const answers: readonly [RegExp, number][] = [
  [/--fail-on|check |audit |probe /, 10],
  [/rotate (run|undo) /, 8],
];

/** What no machine of the tests can be asked for, and where it is proved instead. */
const runElsewhere: readonly [RegExp, string][] = [
  [/^<%= bin %> init -k(?!.*--trust-only)/, 'installs the chart: with the real helm in test/cluster/init.test.ts'],
  [/--via-helm/, 'needs a release of helm: with the real one in test/cluster/owners.test.ts'],
  [
    /restart -k(?!.*--dry-run)|-k .*--restart/,
    'needs pods that come back: test/cluster/restart.test.ts, scenarios.test.ts',
  ],
  [/rotate (run|undo) -k(?!.*--abandon)/, 'needs pods that come back: test/cluster/rotation-job.test.ts'],
  [/^(kubectl logs|journalctl) /, 'needs logs: from standard input in test/cli/explain.test.ts'],
  [/^<%= bin %> logs .*-f/, 'runs until it is stopped: test/cli/logs.test.ts'],
  [/^<%= bin %> watch /, 'runs until it is stopped: test/cli/watch.test.ts'],
  [/rotate run .*--restart-command/, 'needs a Sentry and sidecars: test/traffic/rotate.test.ts'],
];
const whereRun = (command: string) => runElsewhere.find(([pattern]) => pattern.test(command))?.[1];
const [elsewhere, here] = [
  examples.filter(({ command }) => whereRun(command)),
  examples.filter(({ command }) => !whereRun(command)),
];

/** A server is there for every example: some mean the cluster without a word. */
const bundle = await makeBundle({ at: new Date() });
const servers: ApiServer[] = [];
afterAll(() => Promise.all(servers.map((server) => server.stop())));

async function startCluster(wishes: ControlPlaneOptions | undefined): Promise<string> {
  const server = await startApiServer();
  servers.push(server);
  const objects = wishes ? runningControlPlane(wishes) : [];
  server.store.put(...objects);
  for (const { kind, metadata } of objects) if (kind === 'Pod') writeLog(server, metadata);
  return server.kubeconfig();
}

/** Of a container that has been started anew. */
function writeLog({ logs }: ApiServer, { name, labels }: ObjectMeta): void {
  const container = `${name}/${labels?.app}`;
  const now = new Date().toISOString();
  logs.write(container, now, 'time="2026-11-22T01:02:03Z" level=fatal msg="the listener has failed"');
  logs.restart(container);
  logs.write(container, now, 'time="2026-11-22T01:02:04Z" level=info msg="Starting sentry server"');
}

test('every command has a summary, a description and examples', () => {
  for (const [id, { summary, description, examples = [] }] of Object.entries(manifest.commands)) {
    expect({ id, summary: Boolean(summary), description: Boolean(description), examples: examples.length > 0 }).toEqual(
      {
        id,
        summary: true,
        description: true,
        examples: true,
      },
    );
  }
});

test.skip.each(elsewhere.map(({ command }) => ({ command, why: whereRun(command) })))('$command: $why', () => {});

test('what is run elsewhere is little', () => {
  expect(elsewhere.length).toBeLessThan(30);
  expect(here.filter(({ command }) => / -k\b/.test(command)).length).toBeGreaterThan(25);
});

test.each(here)('$id: $command', async ({ id, command }) => {
  const folder = await makeWorkplace(parent, String(examples.findIndex((example) => example.command === command)));
  const kubeconfig = await startCluster(id === 'init' ? undefined : { bundle: bundle.files });
  if (id === 'mtls backup restore' || command.includes('--from backup')) await prepareBackups(folder, kubeconfig);
  const line = command.replaceAll('<%= bin %>', 'dapr-mtls');
  if (/rotate (confirm|undo)/.test(command)) await beginRotations(folder, kubeconfig);
  const { status, stderr } = await runAny('bash', ['-c', `set -o pipefail\n${onPath}${line}`], {
    cwd: folder,
    env: { HOME: folder, KUBECONFIG: kubeconfig, DAPR_MTLS_SETTLE: '0', DAPR_MTLS_TEST_CLUSTER_PAUSE_MS: '0' },
  });
  const accepted = [0, ...answers.filter(([pattern]) => pattern.test(line)).map(([, code]) => code)];
  expect(accepted, `${line}\n${stderr}`).toContain(status);
  expect(stderr).not.toMatch(/^\s+at /m);
});

async function prepareBackups(folder: string, kubeconfig: string): Promise<void> {
  await run(['renew-certificate', '-k', '--settle', '0'], { cwd: folder, env: { KUBECONFIG: kubeconfig } });
  await run(['renew-certificate', '--dir', 'certs', '--settle', '0'], { cwd: folder });
  const backups = join(folder, 'certs.mtls', 'backups');
  const { stdout } = await run(['backup', 'list', '--dir', 'certs', '--format', 'json'], { cwd: folder });
  const [newest] = (JSON.parse(stdout) as { backups: { id: string }[] }).backups;
  cpSync(join(backups, newest?.id ?? ''), join(backups, '20261122T030405Z'), { recursive: true });
  expect(existsSync(join(backups, '20261122T030405Z', 'issuer.key'))).toBe(true);
}

/** Each waits at its first gate, where people may confirm, and from where a way leads back. */
async function beginRotations(folder: string, kubeconfig: string): Promise<void> {
  const env = { KUBECONFIG: kubeconfig, DAPR_MTLS_TEST_CLUSTER_PAUSE_MS: '0' };
  const begun = await Promise.all([
    run(['rotate', 'run', '-k', '--restart', 'none', '--settle', '0'], { cwd: folder, env }),
    run(['rotate', 'run', '--dir', 'certs', '--settle', '0'], { cwd: folder }),
  ]);
  expect(begun.map(({ status }) => status)).toEqual([8, 8]);
}
