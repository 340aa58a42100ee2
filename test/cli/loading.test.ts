import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { packageHome, runAny } from '../support/command-line.ts';
import { runningControlPlane } from '../support/dapr-control-plane.ts';
import { fixturePath, readForeignBundle } from '../support/fixtures.ts';
import { makeFolder } from '../support/workplace.ts';

const folder = makeFolder('loading');
const preload = fileURLToPath(new URL('../support/list-loaded.cjs', import.meta.url));
let server: ApiServer;

beforeAll(async () => {
  server = await startApiServer();
  server.store.put(...runningControlPlane({ bundle: readForeignBundle('sentry-1.17') }));
});
afterAll(() => server.stop());

interface Loaded {
  /** Modules of Node that were not there at its start. */
  readonly builtins: readonly string[];
  readonly bundles: readonly string[];
  /** Of the functions that load the data of all languages, or an HTTP client of their own. */
  readonly used: readonly string[];
}

/** Into pipes: for those Node's own streams would load what speaks to sockets. */
async function load(words: readonly string[]): Promise<Loaded> {
  const list = join(folder, 'loaded.json');
  const line = ['--require', preload, join(packageHome, 'bin/dapr-mtls.js'), ...words];
  // With the loader of Node, which tells what it has loaded.
  const env = { KUBECONFIG: server.kubeconfig(), NODE_DISABLE_COMPILE_CACHE: '1', LOADED_LIST: list };
  const { status, stdout, stderr } = await runAny(process.execPath, line, { env });
  expect(status, stdout + stderr).toBe(0);
  return JSON.parse(readFileSync(list, 'utf8')) as Loaded;
}

const sizeOf = (bundles: readonly string[]) =>
  bundles.reduce((sum, name) => sum + statSync(join(packageHome, 'dist', `${name}.cjs`)).size, 0);

/** Each would add 2 ms or more. */
const heavy = [
  'child_process',
  'dgram',
  'dns',
  'fs/promises',
  'http2',
  'perf_hooks',
  'readline',
  'worker_threads',
  'zlib',
];
const network = ['http', 'https', 'net', 'tls'];
const start = ['load-bundle', 'main'];
const certs = fixturePath('pki/sentry-1.17');

describe('what a command loads, and nothing beyond', () => {
  test.each<[string, string[], { bundles: string[]; without: string[]; kib: number }]>([
    [
      '--version',
      ['--version'],
      { bundles: start, without: [...heavy, ...network, 'crypto', 'os', 'stream'], kib: 12 },
    ],
    [
      'expiry --dir',
      ['expiry', '--dir', certs],
      { bundles: [...start, 'mtls-expiry', 'errors'], without: [...heavy, ...network], kib: 105 },
    ],
    [
      'expiry -k',
      ['expiry', '-k'],
      { bundles: [...start, 'mtls-expiry', 'errors', 'open-cluster-reader', 'open-cluster'], without: heavy, kib: 175 },
    ],
    ['mtls -k', ['mtls', '-k'], { bundles: [...start, 'mtls', 'errors', 'open-cluster'], without: heavy, kib: 155 }],
    [
      'status -k',
      ['status', '-k'],
      { bundles: [...start, 'status', 'errors', 'open-cluster'], without: heavy, kib: 160 },
    ],
    [
      'check --dir',
      ['check', '--dir', certs, '--fail-on', 'never'],
      { bundles: [...start, 'mtls-check', 'errors'], without: [...heavy, ...network], kib: 135 },
    ],
  ])('%s', async (_name, words, { bundles, without, kib }) => {
    const loaded = await load(words);
    expect([...loaded.bundles].sort()).toEqual([...bundles].sort());
    expect(loaded.builtins.filter((name) => without.includes(name))).toEqual([]);
    expect(loaded.used).toEqual([]);
    expect(Math.round(sizeOf(loaded.bundles) / 1024)).toBeLessThanOrEqual(kib);
  });

  test('the list tells of what is loaded', async () => {
    const { bundles, builtins } = await load(['status', '-k', '--format', 'yaml']);
    expect(bundles).toContain('yaml');
    expect(builtins).toEqual(expect.arrayContaining(['https', 'crypto']));
  });
});
