import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDirectoryRotationSite } from '../../src/cli/rotation-directory-site.ts';
import { Interrupted, type StopSwitch } from '../../src/cli/stop.ts';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { locate } from '../../src/store/directory/place.ts';
import { defaultNames } from '../../src/store/file-names.ts';
import { makeBundle } from '../support/bundles.ts';
import { type SentryServer, startSentryServer } from '../support/sentry-server.ts';

let folder: string;
let files: BundleFiles;
let sentry: SentryServer | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dapr-mtls-site-'));
  files = (await makeBundle({ at: new Date() })).files;
  writeFileSync(join(folder, 'ca.crt'), files.anchors);
  writeFileSync(join(folder, 'issuer.crt'), files.issuerChain);
  writeFileSync(join(folder, 'issuer.key'), files.issuerKey);
});
afterEach(async () => {
  await sentry?.stop();
  sentry = undefined;
  rmSync(folder, { recursive: true });
});

const request = {
  phase: 'distribute',
  scopes: ['services', 'applications'] as const,
  since: new Date(),
  neededAnchors: [],
  skipped: [],
};

/** Like that of a process, but stopped by the test. */
function stopSwitch(): Pick<StopSwitch, 'assertRunning' | 'sleep'> & { stop(): void } {
  let received = false;
  const sleepers = new Set<() => void>();
  return {
    stop: () => {
      received = true;
      for (const wake of sleepers) wake();
    },
    assertRunning: () => {
      if (received) throw new Interrupted('SIGTERM');
    },
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const timer = setTimeout(wake, ms);
        function wake() {
          clearTimeout(timer);
          resolve();
        }
        sleepers.add(wake);
        signal?.addEventListener('abort', wake);
        if (signal?.aborted) wake();
      }),
  };
}

function open(wishes: Partial<Parameters<typeof openDirectoryRotationSite>[0]> = {}) {
  return openDirectoryRotationSite({
    place: locate(folder, defaultNames),
    config: undefined,
    namespace: 'shop',
    sentry: undefined,
    restartCommand: undefined,
    env: process.env,
    now: () => new Date(),
    stop: stopSwitch(),
    ...wishes,
  });
}

describe('what can be seen', () => {
  test('is nobody, without an address of Sentry: its flag is told', async () => {
    const world = await open().gather();
    expect(world).toMatchObject({ sidecars: undefined, services: undefined, handout: { kind: 'unknown' } });
    expect(world.sentry).toEqual({ kind: 'unknown', reason: expect.stringContaining('--sentry HOST:PORT') });
  });

  test('is the chain that Sentry shows at its address', async () => {
    sentry = await startSentryServer(files);
    const [host = '', port] = sentry.address.split(':');
    const world = await open({ sentry: { host, port: Number(port) } }).gather();
    const chain = world.sentry.kind === 'shown' ? world.sentry.chain : [];
    expect(chain.length).toBeGreaterThanOrEqual(2);
  });

  test('is the reason where Sentry does not answer', async () => {
    const world = await open({ sentry: { host: '127.0.0.1', port: 1 } }).gather();
    expect(world.sentry).toEqual({
      kind: 'unknown',
      reason: expect.stringMatching(/^Sentry does not answer at 127\.0\.0\.1:1: /),
    });
  });
});

describe('what is said of certificates', () => {
  const spec = { mtls: { enabled: true, workloadCertTTL: '20s', allowedClockSkew: '5s' } };
  const text = JSON.stringify({ apiVersion: 'dapr.io/v1alpha1', kind: 'Configuration', metadata: { name: 'a' }, spec });
  const said = { workloadCertTtlMs: 20_000, allowedClockSkewMs: 5_000, hasExternalClients: false };

  test('is read anew with each look, of the file that --config names', async () => {
    const config = join(folder, 'settings.yaml');
    const site = open({ config });
    expect((await site.gather()).settings).toBeUndefined();
    writeFileSync(config, text);
    expect((await site.gather()).settings).toEqual(said);
    writeFileSync(config, text.replace('20s', '40s'));
    expect((await site.gather()).settings).toEqual({ ...said, workloadCertTtlMs: 40_000 });
    writeFileSync(config, text.replace('"enabled"', '"tokenValidators":[{"name":"jwks"}],"enabled"'));
    expect((await site.gather()).settings).toEqual({ ...said, hasExternalClients: true });
  });

  test('is not known without a file, or of one that cannot be read', async () => {
    expect((await open().gather()).settings).toBeUndefined();
    const config = join(folder, 'settings.yaml');
    writeFileSync(config, 'mtls: [');
    expect((await open({ config }).gather()).settings).toBeUndefined();
  });
});

describe.skipIf(process.platform === 'win32')('the command for restarts', () => {
  const report = () => join(folder, 'report.txt');

  test("is nobody else's to run where none was given", async () => {
    expect(await open().restart(request)).toEqual({ carriedOut: false, restarted: [], remarks: [] });
  });

  test('is given the environment of a sidecar, and no key', async () => {
    const env = { PATH: process.env.PATH, DAPR_CERT_KEY: 'of before', DAPR_CERT_CHAIN: 'of before' };
    const outcome = await open({ restartCommand: `env > '${report()}'`, env }).restart(request);
    expect(outcome.carriedOut).toBe(true);
    const text = readFileSync(report(), 'utf8');
    expect(text).toContain('DAPR_MTLS_PHASE=distribute\n');
    expect(text).toContain('DAPR_MTLS_SCOPES=services,applications\n');
    expect(text).toContain('NAMESPACE=shop\n');
    expect(text).toContain('DAPR_CONTROLPLANE_NAMESPACE=shop\n');
    expect(text).toContain('DAPR_CONTROLPLANE_TRUST_DOMAIN=cluster.local\n');
    expect(text).toContain(`DAPR_TRUST_ANCHORS=${files.anchors.toString('utf8').split('\n', 2).join('\n')}`);
    expect(text).not.toMatch(/PRIVATE KEY|DAPR_CERT_/);
  });

  test('is not run where no more may be begun', async () => {
    const mayBegin = async () => false;
    const outcome = await open({ restartCommand: `echo > '${report()}'` }).restart({ ...request, mayBegin });
    expect(outcome).toEqual({ carriedOut: false, restarted: [], remarks: [] });
    expect(existsSync(report())).toBe(false);
  });

  test('is a line for the shell, as it was typed', async () => {
    const line = `printf %s "$DAPR_MTLS_PHASE" | tr a-z A-Z > '${report()}' && true`;
    await open({ restartCommand: line }).restart(request);
    expect(readFileSync(report(), 'utf8')).toBe('DISTRIBUTE');
  });

  test.each([
    ['exit 3', 'ended with exit code 3'],
    ['kill -9 $$', 'was ended by SIGKILL (exit code 137)'],
    ['/nowhere/at/all', 'ended with exit code 127'],
  ])('that fails (%s) fails the restart, and the mend is said', async (restartCommand, how) => {
    await expect(open({ restartCommand }).restart(request)).rejects.toMatchObject({
      code: 'rollout.failed',
      message: `the command of --restart-command ${how}, run for services, applications in the phase distribute`,
      hint: expect.stringContaining('dapr-mtls rotate confirm restarted'),
    });
  });

  test('gets its own chance to end when the run is stopped', async () => {
    const stop = stopSwitch();
    const began = join(folder, 'began');
    const line = `trap 'sleep 0.3; echo cleaned > "${report()}"; exit 0' TERM; echo > '${began}'; while :; do sleep 0.05; done`;
    const run = open({ restartCommand: line, stop }).restart(request);
    await expect.poll(() => existsSync(began)).toBe(true);
    stop.stop();
    await expect(run).rejects.toBeInstanceOf(Interrupted);
    expect(readFileSync(report(), 'utf8')).toBe('cleaned\n');
  });
});
