import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

interface Options {
  /** A test that hangs ends then; none is to be so slow, on a machine however busy. */
  readonly timeoutMs: number;
  /** Its files share a process and what was loaded there: for tests that leave nothing behind in it. */
  readonly shared?: boolean;
  readonly serial?: boolean;
  readonly setup?: string;
  readonly concurrency?: number;
  /** Where its tests are; in the folder of its name where it is left out. */
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const project = (name: string, { timeoutMs, shared, serial, setup, concurrency, folder, env }: Options) => ({
  test: {
    name,
    include: [`test/${folder ?? name}/**/*.test.ts`],
    setupFiles: 'test/support/tidy-up.ts',
    testTimeout: timeoutMs,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 60_000 } },
    isolate: !shared,
    fileParallelism: !serial,
    ...(concurrency === undefined ? {} : { maxConcurrency: concurrency }),
    ...(setup === undefined ? {} : { globalSetup: setup }),
    ...(env === undefined ? {} : { env }),
  },
});

export default defineConfig({
  test: {
    // The runner's own choice is one core fewer, which on two is one file after another.
    maxWorkers: Math.max(2, availableParallelism()),
    projects: [
      project('unit', { timeoutMs: 60_000, shared: true }),
      project('golden', { timeoutMs: 60_000, shared: true }),
      project('contract', { timeoutMs: 120_000 }),
      project('interop', { timeoutMs: 240_000 }),
      project('cli', { timeoutMs: 240_000 }),
      project('crash', { timeoutMs: 1_800_000 }),
      // Each of its tests waits for certificates to grow old, and is hardly any work.
      project('traffic', { timeoutMs: 300_000, concurrency: 10, setup: 'test/cluster/set-up.ts' }),
      // The command line's tests once more, on what people install.
      project('executable', {
        timeoutMs: 240_000,
        folder: 'cli',
        env: { DAPR_MTLS_TEST_BIN: 'dist-executable' },
      }),
      project('tarball', {
        timeoutMs: 240_000,
        folder: 'cli',
        setup: 'test/package/set-up-tarball.ts',
        env: { DAPR_MTLS_TEST_BIN: 'node_modules/.cache/dapr-mtls-tarball/installed/node_modules/.bin' },
      }),
      // Chromium looks at the pages of `mtls report`; says "skipped" where there is none.
      project('browser', { timeoutMs: 240_000, serial: true }),
      project('package', { timeoutMs: 600_000, serial: true }),
      project('cluster', { timeoutMs: 300_000, serial: true, setup: 'test/cluster/set-up.ts' }),
    ],
  },
});
