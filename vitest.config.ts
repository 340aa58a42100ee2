import { defineConfig } from 'vitest/config';

const project = (name: string, options: { timeoutMs?: number; serial?: boolean } = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: options.timeoutMs ?? 20_000,
    hookTimeout: 120_000,
    fileParallelism: !options.serial,
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
    ],
  },
});
