import { createRequire } from 'node:module';
import { join } from 'node:path';

/** What the parent asks for and what it gets back. */
export interface CommandLine {
  readonly id: number;
  readonly args: readonly string[];
}

export interface CommandOutcome {
  readonly id: number;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

type Main = (program: 'dapr-mtls', argv: readonly string[], home: string) => Promise<void>;

const home = process.argv[2] ?? '';
const require = createRequire(import.meta.url);
const { main } = require(join(home, 'dist', 'main.cjs')) as { main: Main };

let output = { stdout: '', stderr: '' };
const streams = { 1: 'stdout', 2: 'stderr' } as const;
for (const name of Object.values(streams)) {
  process[name].setMaxListeners(0);
  process[name].write = (text: string | Uint8Array) => {
    output[name] += Buffer.from(text).toString();
    return true;
  };
}
// Reports are written past the streams.
const fs = require('node:fs') as { writeSync: (fd: number, bytes: Uint8Array, ...more: unknown[]) => number };
const { writeSync } = fs;
fs.writeSync = (fd, bytes, ...more) => {
  if (fd !== 1 && fd !== 2) return writeSync(fd, bytes, ...more);
  output[streams[fd]] += Buffer.from(bytes).toString();
  return bytes.length;
};

process.on('message', ({ id, args }: CommandLine) => {
  output = { stdout: '', stderr: '' };
  // Each run has its own, for a process of its own.
  process.removeAllListeners('uncaughtException');
  process.exitCode = 0;
  void main('dapr-mtls', args, home)
    .catch((error: unknown) => {
      process.exitCode = 1;
      output.stderr += error instanceof Error ? String(error.stack) : String(error);
    })
    .then(() => process.send?.({ id, exitCode: Number(process.exitCode), ...output } satisfies CommandOutcome));
});
process.once('disconnect', () => process.exit());
