import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import type { WatchReport } from '../../src/app/watch/report.ts';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { run } from '../support/command-line.ts';
import { runningControlPlane } from '../support/dapr-control-plane.ts';
import { readForeignBundle } from '../support/fixtures.ts';
import { schemaViolations } from '../support/schema.ts';
import { startWatching, type Watching } from '../support/watching.ts';
import { copyBundle, makeFolder } from '../support/workplace.ts';

const folder = makeFolder('watch');
const bundles = join(folder, 'bundles');
/** Nothing but what happens in the directory makes it look again. */
const rarely = ['--every', '1h'];
const hook = (file: string) => `cat >> ${join(folder, file)}`;
const readReports = (file: string) =>
  readFileSync(join(folder, file), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as WatchReport);

beforeAll(async () => {
  mkdirSync(bundles);
  for (const name of ['a', 'b']) {
    const made = await run([
      'init',
      '--dir',
      join(bundles, name),
      '--save-root-key',
      join(bundles, `${name}.key`),
      '--insecure-plaintext-key',
    ]);
    expect(made.status, made.stderr).toBe(0);
  }
});

function place(name: string): string {
  const directory = join(folder, name);
  cpSync(join(bundles, 'a'), directory, { recursive: true });
  return directory;
}

const replaced = /The issuer certificate was replaced/;

describe('what it tells', () => {
  test('a renewal, once, in the log and to a command', async () => {
    const directory = place('renewed');
    const watching = startWatching(['--dir', directory, ...rarely, '--on-change', hook('change.jsonl')]);
    await watching.said(/Watching the trust bundle/);
    const renewal = ['renew-certificate', '--dir', directory, '--private-key', join(bundles, 'a.key'), '--settle', '0'];
    expect((await run(renewal)).status).toBe(0);
    await watching.said(replaced);
    await sleep(2500);
    expect(await watching.stop()).toMatchObject({ status: 0 });
    expect(watching.messages().map((message) => message.replace(/:.*/, ''))).toEqual([
      `Watching the trust bundle of directory ${directory}`,
      'The root certificate was replaced',
      'The issuer certificate was replaced',
      'Stopped by SIGTERM',
    ]);
    const reports = readReports('change.jsonl');
    expect(reports.flatMap(schemaViolations)).toEqual([]);
    expect(reports.flatMap(({ changes }) => changes.map(({ reason }) => reason))).toEqual([
      'RootReplaced',
      'IssuerReplaced',
    ]);
    expect(reports[0]?.certificates.map(({ role }) => role)).toEqual(['root', 'issuer']);
    expect(watching.stdout() + JSON.stringify(reports)).not.toMatch(/PRIVATE|BEGIN/);
  });

  test("ends, in the documented words and in Sentry's shape, to the log and to a command", async () => {
    const certs = copyBundle(folder, 'sentry-1.18', 'ending');
    const at = ['--at', '2027-11-19T11:40:00Z', '--log-as-json'];
    const watching = startWatching(['--dir', certs, ...rarely, ...at, '--on-warning', hook('warning.jsonl')]);
    await watching.said(/issuer certificate expiration warning/);
    await expect.poll(() => existsSync(join(folder, 'warning.jsonl'))).toBe(true);
    await sleep(300);
    await watching.stop();
    const sentence = 'expiration warning: certificate expires in 2 days and 15 hours';
    const entries = watching
      .stdout()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(
      entries.filter(({ msg }) => msg.includes('expiration')).map(({ level, msg, scope }) => [level, msg, scope]),
    ).toEqual([
      ['warning', `Dapr root certificate ${sentence}`, 'dapr.mtls.watch'],
      ['warning', `Dapr issuer certificate ${sentence}`, 'dapr.mtls.watch'],
    ]);
    for (const entry of entries) {
      expect(Object.keys(entry)).toEqual(['instance', 'level', 'msg', 'scope', 'time', 'type', 'ver']);
      expect(entry.time).toMatch(/^2027-11-19T11:40:/);
    }
    const [report, ...others] = readReports('warning.jsonl');
    expect([others, schemaViolations(report)]).toEqual([[], []]);
    expect(report?.warnings.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['RootExpiring', 'IssuerExpiring']),
    );
  });

  test('with mends that lead to what is watched', async () => {
    const certs = copyBundle(folder, 'sentry-1.18', 'damaged');
    writeFileSync(join(certs, 'issuer.crt'), '');
    const watching = startWatching(['--dir', certs, ...rarely, '--on-warning', hook('aimed.jsonl')]);
    await watching.said(new RegExp(`dapr-mtls \\S+[^\`]* --dir ${certs}`));
    await expect.poll(() => existsSync(join(folder, 'aimed.jsonl'))).toBe(true);
    await watching.stop();
    const told = readReports('aimed.jsonl').flatMap(({ warnings }) => warnings.map(({ message }) => message));
    expect(told.join('\n')).toContain(`--dir ${certs}\``);
  });

  test('-q leaves what is no warning out', async () => {
    const certs = copyBundle(folder, 'sentry-1.18', 'quiet');
    const watching = startWatching(['--dir', certs, ...rarely, '--at', '2028-01-01', '-q']);
    await watching.said(/issuer certificate expiration warning: certificate has expired\./);
    await watching.stop();
    expect(watching.stdout()).not.toContain('level=info');
  });
});

describe('a directory that moves under it', () => {
  test('goes away and comes back, and is followed again', async () => {
    const directory = place('moving');
    const watching = startWatching(['--dir', directory, ...rarely]);
    await watching.said(/Watching the trust bundle/);
    renameSync(directory, `${directory}.away`);
    await watching.said(/Looking failed: there is no bundle in/);
    renameSync(`${directory}.away`, directory);
    await watching.said(/Looking succeeds again/);
    replaceFiles(directory, 'b');
    await watching.said(replaced);
    rmSync(directory, { recursive: true });
    cpSync(join(bundles, 'a'), directory, { recursive: true });
    await expect.poll(() => watching.messages().filter((message) => replaced.test(message)).length).toBe(2);
    await watching.stop();
  });

  test('is not there yet, nor what holds it', async () => {
    const directory = join(folder, 'not', 'yet', 'there');
    const watching = startWatching(['--dir', directory, ...rarely]);
    await watching.said(/Looking failed/);
    mkdirSync(join(folder, 'not', 'yet'), { recursive: true });
    await sleep(1500);
    cpSync(join(bundles, 'a'), directory, { recursive: true });
    await watching.said(/Watching the trust bundle .* root until/);
    await expect.poll(() => watching.messages().filter((message) => /Looking failed/.test(message)).length).toBe(1);
    await watching.stop();
  });

  test("kubelet's folders are swapped, and a link to the directory leads elsewhere", async () => {
    const volume = join(folder, 'volume');
    for (const [name, bundle] of [
      ['..1', 'a'],
      ['..2', 'b'],
    ] as const) {
      cpSync(join(bundles, bundle), join(volume, name), { recursive: true });
    }
    symlinkSync('..1', join(volume, '..data'));
    for (const name of ['ca.crt', 'issuer.crt', 'issuer.key']) symlinkSync(join('..data', name), join(volume, name));
    const link = join(folder, 'link');
    symlinkSync(volume, link);
    const watching = startWatching(['--dir', link, ...rarely]);
    await watching.said(/Watching the trust bundle/);
    symlinkSync('..2', join(volume, '..data_tmp'));
    renameSync(join(volume, '..data_tmp'), join(volume, '..data'));
    await watching.said(replaced);
    symlinkSync(join(bundles, 'a'), `${link}.tmp`);
    renameSync(`${link}.tmp`, link);
    await expect.poll(() => watching.messages().filter((message) => replaced.test(message)).length).toBe(2);
    await watching.stop();
  });

  function replaceFiles(directory: string, bundle: string): void {
    for (const name of ['ca.crt', 'issuer.crt', 'issuer.key']) {
      cpSync(join(bundles, bundle, name), join(directory, `${name}.new`));
      renameSync(join(directory, `${name}.new`), join(directory, name));
    }
  }
});

describe('figures and probes', () => {
  const addressOf = async (watching: Watching) => {
    await watching.said(/Serving .* on \S+"/);
    return `http://${/ on ([\d.]+:\d+)/.exec(watching.stdout())?.[1]}`;
  };

  test('are those of the report of the same bundle', async () => {
    const certs = copyBundle(folder, 'sentry-1.18', 'measured');
    const watching = startWatching(['--dir', certs, '--listen', '127.0.0.1:0']);
    const address = await addressOf(watching);
    await watching.said(/Watching/);
    const response = await fetch(`${address}/metrics`);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await response.text();
    const { stdout } = await run(['expiry', '--dir', certs, '--format', 'prometheus']);
    const ofCertificates = (figures: string) =>
      figures.split('\n').filter((line) => line.startsWith('dapr_mtls_certificate'));
    expect(ofCertificates(text).length).toBe(4);
    expect(ofCertificates(text)).toEqual(ofCertificates(stdout));
    expect(text).toMatch(/^dapr_mtls_last_successful_read_timestamp_seconds\{command="watch"\} \d+$/m);
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
    for (const line of text.trimEnd().split('\n')) {
      expect(line).toMatch(/^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [\d.e+]+|)$/);
    }
    await watching.stop();
  });

  test('answer what is asked, and nothing else', async () => {
    const directory = place('probed');
    const watching = startWatching(['--dir', directory, '--listen', '127.0.0.1:0', ...rarely]);
    const address = await addressOf(watching);
    await watching.said(/Watching/);
    const ask = async (path: string, method = 'GET') => {
      const response = await fetch(`${address}${path}`, { method });
      return [response.status, (await response.text()).length > 0];
    };
    expect(await ask('/healthz')).toEqual([200, true]);
    expect(await ask('/readyz')).toEqual([200, true]);
    expect(await ask('/readyz?verbose', 'HEAD')).toEqual([200, false]);
    expect(await ask('/metrics', 'HEAD')).toEqual([200, false]);
    expect(await ask('/metrics', 'POST')).toEqual([405, true]);
    expect(await ask('/constructor')).toEqual([404, true]);
    expect(await ask('/')).toEqual([404, true]);
    await watching.stop();
  });

  test('say so where no look has succeeded, and stay', async () => {
    const watching = startWatching(['--dir', join(folder, 'nowhere'), '--listen', '127.0.0.1:0']);
    const address = await addressOf(watching);
    await watching.said(/Looking failed: there is no bundle in .* \(store\.missing\)/);
    const probe = await fetch(`${address}/readyz`);
    expect([probe.status, await probe.text()]).toEqual([503, 'no look has succeeded yet\n']);
    expect((await fetch(`${address}/healthz`)).status).toBe(200);
    expect(await (await fetch(`${address}/metrics`)).text()).toMatch(/^dapr_mtls_watch_failed_reads_total 1$/m);
    await watching.stop();
  });

  test('an address that is taken is a wrong command line', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const told = await run(['watch', '--dir', bundles, '--listen', `127.0.0.1:${port}`]);
    other.close();
    expect(told).toMatchObject({ status: 2, stdout: '' });
    expect(told.stderr).toBe(
      `Error: nobody can listen on 127.0.0.1:${port}: another program does already\nName another address with --listen [HOST:]PORT.\n`,
    );
  });
});

test.each(['--on-change', '--on-warning'])('an empty %s is a wrong command line', async (flag) => {
  const told = await run(['watch', '--dir', bundles, flag, '']);
  expect(told).toMatchObject({ status: 2, stderr: expect.stringContaining(`${flag} is empty`) });
});

describe('it ends within a second and well', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s, with a command under way', async (signal) => {
    const certs = copyBundle(folder, 'sentry-1.18', `ended-${signal}`);
    const mark = join(folder, `mark-${signal}`);
    const command = `sleep 30 & echo $! > ${mark}; wait`;
    const words = ['--dir', certs, '--at', '2028-01-01', '--listen', '127.0.0.1:0', '--on-warning', command];
    const watching = startWatching(words);
    await expect.poll(() => existsSync(mark) && readFileSync(mark, 'utf8')).toMatch(/^\d+\n$/);
    // A connection that is kept does not hold it.
    await fetch(`http://${/ on ([\d.]+:\d+)/.exec(watching.stdout())?.[1]}/healthz`);
    const { status, tookMs } = await watching.stop(signal);
    expect(status).toBe(0);
    expect(tookMs).toBeLessThan(1000);
    await expect.poll(() => isAlive(Number(readFileSync(mark, 'utf8')))).toBe(false);
  });

  test('when nobody reads the log any more', async () => {
    const certs = copyBundle(folder, 'sentry-1.18', 'unread');
    const watching = startWatching(['--dir', certs, '--every', '1s', '--at', '2028-01-01']);
    await watching.said(/has expired/);
    watching.child.stdout?.destroy();
    rmSync(join(certs, 'ca.crt'));
    rmSync(join(certs, 'issuer.crt'));
    rmSync(join(certs, 'issuer.key'));
    await expect.poll(() => watching.child.exitCode).toBe(0);
  });

  function isAlive(pid: number): boolean {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  }
});

test.each([
  [['--dir', 'certs', '--events'], /--events concerns a cluster, and a directory is watched/],
  [['--dir', 'certs', '--warn-at', '30days'], /--warn-at 30days is neither a length of time nor a share/],
  [['--dir', 'certs', '--every', '5'], /--every 5 is no length of time between a second and a week/],
  [['--dir', 'certs', '--every', '0.1s'], /--every 0\.1s is no length of time/],
  [['--dir', 'certs', '--listen', 'localhost'], /--listen localhost is no address to listen on/],
  [['--dir', 'certs', '--listen', '99999'], /--listen 99999 is no address to listen on/],
])('%j is refused', async (words, message) => {
  const told = await run(['watch', ...words]);
  expect(told).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(message) });
});

describe('in a cluster', () => {
  let server: ApiServer;

  beforeAll(async () => {
    server = await startApiServer();
    server.store.put(...runningControlPlane({ bundle: readForeignBundle('sentry-1.17') }));
    return () => server.stop();
  });

  test('without any right on the Secret, and ends within a second', async () => {
    const watching = startWatching(['-k', '--at', '2028-06-01', '--listen', '127.0.0.1:0'], {
      KUBECONFIG: server.kubeconfig(),
    });
    await watching.said(/Dapr root certificate expiration warning: certificate has expired\./);
    const { status, tookMs } = await watching.stop();
    expect([status, tookMs < 1000]).toEqual([0, true]);
    expect(server.requests.filter(({ path }) => path.includes('/secrets'))).toEqual([]);
  });

  test.each([
    ['from the first request on', 0],
    ['while it looks', 1],
  ])('ends within a second where the API server does not answer, %s', async (_, answered) => {
    const hanging = await startApiServer();
    hanging.store.put(...runningControlPlane({ bundle: readForeignBundle('sentry-1.17') }));
    const env = { KUBECONFIG: hanging.kubeconfig() };
    const hang = () => hanging.faults.add({ times: 1000, do: 'hang' });
    if (answered === 0) hang();
    const watching = startWatching(['-k', '--every', '1s'], env);
    if (answered > 0) {
      await watching.said(/Watching/);
      hang();
      await sleep(2500);
    } else await expect.poll(() => hanging.requests.length).toBeGreaterThan(0);
    const { status, tookMs } = await watching.stop();
    await hanging.stop();
    expect([status, tookMs < 1000]).toEqual([0, true]);
    expect(watching.messages().at(-1)).toBe('Stopped by SIGTERM');
  });
});
