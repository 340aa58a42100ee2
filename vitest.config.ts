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
}

const project = (name: string, { timeoutMs, shared, serial, setup, concurrency }: Options) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    setupFiles: 'test/support/tidy-up.ts',
    testTimeout: timeoutMs,
    hookTimeout: 240_000,
    isolate: !shared,
    fileParallelism: !serial,
    ...(concurrency === undefined ? {} : { maxConcurrency: concurrency }),
    ...(setup === undefined ? {} : { globalSetup: setup }),
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
      project('package', { timeoutMs: 600_000, serial: true }),
      project('cluster', { timeoutMs: 300_000, serial: true, setup: 'test/cluster/set-up.ts' }),
    ],
  },
});
