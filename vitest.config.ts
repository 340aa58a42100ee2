import { defineConfig } from 'vitest/config';

const project = (
  name: string,
  options: { timeoutMs?: number; serial?: boolean; setup?: string; concurrency?: number; workers?: number } = {},
) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: options.timeoutMs ?? 20_000,
    hookTimeout: 120_000,
    fileParallelism: !options.serial,
    ...(options.concurrency === undefined ? {} : { maxConcurrency: options.concurrency }),
    ...(options.workers === undefined ? {} : { maxWorkers: options.workers }),
    ...(options.setup === undefined ? {} : { globalSetup: options.setup }),
  },
});

export default defineConfig({
  test: {
    projects: [
      project('unit'),
      project('golden'),
      project('contract', { timeoutMs: 60_000 }),
      project('interop', { timeoutMs: 120_000 }),
      project('cli', { timeoutMs: 120_000 }),
      project('crash', { timeoutMs: 1_800_000 }),
      // Each of its tests waits for certificates to grow old, and is hardly any work.
      project('traffic', { timeoutMs: 300_000, concurrency: 10, workers: 2, setup: 'test/cluster/set-up.ts' }),
      project('package', { timeoutMs: 600_000, serial: true }),
      project('cluster', { timeoutMs: 300_000, serial: true, setup: 'test/cluster/set-up.ts' }),
    ],
  },
});
