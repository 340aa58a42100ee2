import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SiteReport, TrustReport } from '../../src/app/trust-report/report.ts';
import { run, runAny } from '../support/command-line.ts';
import { shellCommandOf } from '../support/program-under-test.ts';
import { type ReportStage, stageInstant, startReportStage } from '../support/report-stage.ts';
import { schemaViolations } from '../support/schema.ts';
import { copyBundle, makeFolder } from '../support/workplace.ts';

const folder = makeFolder('report');
const certs = copyBundle(folder, 'bridged', 'certs');
const at = ['--at', stageInstant.toISOString()];
let stage: ReportStage;

beforeAll(async () => {
  stage = await startReportStage(folder);
});
afterAll(() => stage.stop());
beforeEach(() => stage.allow({ allow: 'all' }));

const daprMtls = (...words: string[]) =>
  run(['mtls', ...words, ...at], { cwd: folder, env: { KUBECONFIG: stage.kubeconfig, HOME: folder } });

async function readDocument<T>(...words: string[]): Promise<T> {
  return JSON.parse((await daprMtls(...words, '--format', 'json')).stdout) as T;
}

async function reportOf(...words: string[]): Promise<TrustReport> {
  const report = await readDocument<TrustReport>('report', ...words);
  expect(schemaViolations(report)).toEqual([]);
  return report;
}

async function siteOf(...words: string[]): Promise<SiteReport> {
  const { sites } = await reportOf(...words);
  expect(sites).toHaveLength(1);
  return sites[0] as SiteReport;
}

/** Parts that tell how they were read, which a page of one reading tells otherwise. */
const withoutReading = (document: object | null) => ({ ...document, store: undefined });

describe.each([
  ['a directory', ['--dir', certs]],
  ['a cluster', ['--context', 'prod-eu']],
])('%s', (_name, where) => {
  test('is told with the figures of the other commands', async () => {
    const site = await siteOf(...where);
    const [expiry, inspect, check] = await Promise.all([
      readDocument<object>('expiry', ...where),
      readDocument<object>('inspect', ...where),
      readDocument<object>('check', ...where),
    ]);
    expect(withoutReading(site.expiry)).toEqual(withoutReading(expiry));
    expect(site.inspect).toEqual(inspect);
    expect(site.check).toEqual(check);
  });

  test('is written as a page whose file is replaced as a whole', async () => {
    const page = join(folder, 'trust.html');
    writeFileSync(page, 'the one before', { mode: 0o600 });
    const { ino } = statSync(page);
    const { status, stdout, stderr } = await daprMtls('report', ...where, '-o', 'trust.html');
    expect([status, stdout, stderr]).toEqual([
      0,
      '',
      expect.stringMatching(/^Written: trust\.html\nthe root ends in 3/),
    ]);
    expect(statSync(page).ino).not.toBe(ino);
    expect(readFileSync(page, 'utf8')).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
    expect(readdirSync(folder).filter((name) => name.includes('trust.html'))).toEqual(['trust.html']);
  });
});

test('the settings and the sidecars are those of their commands', async () => {
  const site = await siteOf('--context', 'prod-eu');
  const view = await run(['mtls', 'config', 'view', '--context', 'prod-eu', '--format', 'json'], {
    env: { KUBECONFIG: stage.kubeconfig },
  });
  expect(site.configuration).toEqual(JSON.parse(view.stdout));
  expect(site.audit).toEqual(await readDocument('audit', '--context', 'prod-eu'));
  expect(site.holdings.map(({ state, sidecars }) => [state, sidecars])).toEqual([
    ['broken', 1],
    ['stale', 5],
    ['unknown', 1],
    ['current', 9],
    ['current', 4],
  ]);
});

test('the commands on the page lead to its place', async () => {
  const cluster = await daprMtls('report', '-k');
  expect(cluster.stdout).toContain('<code>dapr-mtls restart -k --context prod-eu --apps -A</code>');
  const late = await run(['mtls', 'report', '--dir', 'certs', '--at', '2027-11-01'], { cwd: folder });
  expect(late.stdout).toContain(`<code>dapr-mtls renew-certificate --dir ${certs}</code>`);
});

describe('many clusters', () => {
  test('the worst first, each with its parts, and what failed with its mend', async () => {
    const { status, stdout } = await daprMtls('report', '--all-contexts', '--format', 'json');
    const report = JSON.parse(stdout) as TrustReport;
    expect(status).toBe(3);
    expect(report.sites.map(({ name, result }) => [name, result])).toEqual([
      ['edge', 'failed'],
      ['prod-eu', 'error'],
      ['staging', 'well'],
    ]);
    expect(report.summary).toEqual({ well: 1, findings: 1, failed: 1 });
    expect(report.sites[0]?.error).toMatchObject({ code: 'cluster.unreachable', hint: expect.stringMatching(/\S/) });
    expect(schemaViolations(report)).toEqual([]);
    const alone = await siteOf('--context', 'prod-eu');
    expect(report.sites[1]).toEqual(alone);
  });

  test('the page links each of them', async () => {
    const { status, stdout } = await daprMtls('report', '--contexts', 'staging,prod-eu', '-o', '-');
    expect(status).toBe(0);
    for (const id of ['site-1', 'site-2']) {
      expect(stdout).toContain(`href="#${id}"`);
      expect(stdout).toContain(`<h2 id="${id}">`);
    }
  });
});

test.each([
  [['--dir', 'certs'], 0],
  [['--dir', 'certs', '--fail-on', 'error'], 0],
  [['--context', 'prod-eu'], 0],
  [['--context', 'prod-eu', '--fail-on', 'error'], 10],
  [['--contexts', 'staging,prod-eu', '--fail-on', 'error'], 10],
  [['--context', 'staging', '--fail-on', 'warning'], 0],
])('%j ends with %i', async (words, status) => {
  const result = await daprMtls('report', ...words);
  expect([result.status, result.stdout.slice(0, 15)]).toEqual([status, '<!doctype html>']);
});

describe('who may not read everything', () => {
  const secret = { verb: 'get', resource: 'secrets' } as const;
  const pods = { verb: 'list', resource: 'pods' } as const;

  test.each<[string, (typeof secret | typeof pods)[], string[]]>([
    ['the pods', [pods], ['sidecars']],
    ['the Secret', [secret], ['bundle', 'issuer']],
    ['both', [secret, pods], ['bundle', 'issuer', 'sidecars']],
  ])('%s: the page says so, and the rest is whole', async (_name, deny, parts) => {
    stage.allow({ allow: 'all', deny });
    const site = await siteOf('--context', 'prod-eu');
    expect(site.unread.map(({ part }) => part)).toEqual(parts);
    expect(site.result).not.toBe('well');
    expect(site.audit === null).toBe(deny.includes(pods));
    expect(site.inspect?.certificates.map(({ role }) => role)).toHaveLength(deny.includes(secret) ? 2 : 5);
    expect(site.configuration?.exists).toBe(true);
    const { status, stdout } = await daprMtls('report', '--context', 'prod-eu', '--fail-on', 'warning');
    expect(status).toBe(10);
    expect(stdout.match(/could not be looked at</g)).toHaveLength(parts.length);
  });

  test('nothing at all is an error of the whole', async () => {
    stage.allow({ allow: [] });
    const { status, stdout, stderr } = await daprMtls('report', '--context', 'prod-eu', '-n', 'dapr-system');
    expect([status, stdout]).toEqual([3, '']);
    expect(stderr).toContain('may not');
  });
});

describe('where the page goes', () => {
  const onTerminal = (words: string) =>
    runAny('script', ['-qec', `${shellCommandOf('dapr-mtls')} report --dir certs ${words}`, '/dev/null'], {
      cwd: folder,
      env: { TERM: 'xterm' },
    });

  test('not to a terminal, unless that is said', async () => {
    const refused = await onTerminal('');
    expect(refused.status).toBe(2);
    expect(refused.stdout).toContain('a page of HTML is nothing for a terminal');
    expect(refused.stdout).toContain('-o trust.html');
    expect(refused.stdout).not.toContain('<!doctype');
    expect((await onTerminal('-o -')).stdout).toContain('<!doctype html>');
    expect((await onTerminal('--format json')).stdout).toContain('"kind": "TrustReport"');
  });

  test('a folder that is not there is an error, and nothing is written', async () => {
    const { status, stderr } = await daprMtls('report', '--dir', 'certs', '-o', 'nowhere/trust.html');
    expect([status, stderr]).toEqual([5, expect.stringMatching(/cannot write .*nowhere/)]);
  });

  test('a directory without a bundle makes no page', async () => {
    const { status, stdout } = await daprMtls('report', '--dir', 'nowhere', '-o', '-');
    expect([status, stdout]).toEqual([5, '']);
  });
});

test('the page holds no key', async () => {
  const { stdout } = await daprMtls('report', '--dir', 'certs');
  const [, secret = ''] = readFileSync(join(certs, 'issuer.key'), 'utf8').split('\n');
  expect(secret.length).toBeGreaterThan(40);
  expect(stdout).not.toContain(secret);
});
