import { createInterface } from 'node:readline';
import { whyNoCluster } from '../../test/cluster/build-programs.ts';
import type { BenchServer } from './bench-server.ts';
import { startOwn } from './own.ts';
import { startReal } from './real.ts';

// An API server in a process of its own, because whoever measures blocks his. Answers with its kind and
// the ways to it, then to each number of pods with that number when they are there, and ends with its input.

// The programs of a cluster keep no process waiting for them, not even while they are being stopped.
const alive = setInterval(() => {}, 1000);
let server: BenchServer | undefined;
try {
  server = process.argv[2] === 'own' || (await whyNoCluster()) ? await startOwn() : await startReal();
  const { kind, access } = server;
  process.stdout.write(`${JSON.stringify({ kind, access })}\n`);
  for await (const line of createInterface({ input: process.stdin })) {
    await server.fill(Number(line));
    process.stdout.write(`${line}\n`);
  }
} finally {
  await server?.stop();
  clearInterval(alive);
}
