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
const { main } = createRequire(import.meta.url)(join(home, 'dist', 'main.cjs')) as { main: Main };

process.on('message', ({ id, args }: CommandLine) => {
  const output = { stdout: '', stderr: '' };
  const capture = (name: 'stdout' | 'stderr') => {
    process[name].setMaxListeners(0);
    process[name].write = (text: string | Uint8Array) => {
      output[name] += Buffer.from(text).toString();
      return true;
    };
  };
  capture('stdout');
  capture('stderr');
  process.exitCode = 0;
  void main('dapr-mtls', args, home)
    .catch((error: unknown) => {
      process.exitCode = 1;
      output.stderr += error instanceof Error ? String(error.stack) : String(error);
    })
    .then(() => process.send?.({ id, exitCode: Number(process.exitCode), ...output } satisfies CommandOutcome));
});
process.once('disconnect', () => process.exit());
