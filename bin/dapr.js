#!/usr/bin/env node
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// Ours is `mtls` alone; every other word belongs to the official CLI, before anything is loaded.
const argv = process.argv.slice(2);
if (argv[0] === 'mtls') {
  const { main } = await import('../dist/main.js');
  await main('dapr', argv, new URL('..', import.meta.url));
} else {
  const { handOver } = await import('../dist/hand-over.js');
  await handOver(argv, realpathSync(fileURLToPath(import.meta.url)));
}
