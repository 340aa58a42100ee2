import { defineConfig } from 'vitest/config';

const project = (name: string, options: { timeoutMs?: number; serial?: boolean; setup?: string } = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: options.timeoutMs ?? 20_000,
    hookTimeout: 120_000,
    fileParallelism: !options.serial,
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
      project('package', { timeoutMs: 600_000, serial: true }),
      project('cluster', { timeoutMs: 300_000, serial: true, setup: 'test/cluster/set-up.ts' }),
    ],
  },
});
