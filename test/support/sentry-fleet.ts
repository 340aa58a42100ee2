import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { temporaryDirectory } from './directory.ts';
import type { ModelSentryOptions, SentryEvent } from './model-sentry.ts';
import type { SentryMessage } from './model-sentry-process.ts';

/** Model Sentries in a process of their own, one for each directory. */
export class SentryFleet {
  readonly #child: ChildProcess;
  readonly #events: SentryEvent[][];
  readonly #ended: Promise<never>;

  private constructor(child: ChildProcess, models: readonly ModelSentryOptions[]) {
    this.#child = child;
    this.#events = models.map(() => []);
    this.#ended = new Promise((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`the process of the model Sentries ended with ${code}`)));
    });
    this.#ended.catch(() => undefined);
    child.on('message', ({ index, event }: SentryMessage) => {
      this.#events[index]?.push(event);
      child.emit('sentry-event');
    });
    child.send(models);
  }

  static async start(models: readonly ModelSentryOptions[]): Promise<SentryFleet> {
    return new SentryFleet(fork(await bundleProcess(), { execArgv: [] }), models);
  }

  eventsOf(index: number): readonly SentryEvent[] {
    return this.#events[index] ?? [];
  }

  /** Resolves as soon as the model has told of such an event, or of its end. */
  async told(index: number, isAwaited: (event: SentryEvent) => boolean): Promise<void> {
    const arrived = new Promise<void>((resolve) => {
      const look = () => {
        if (!this.eventsOf(index).some((event) => event.kind === 'exited' || isAwaited(event))) return;
        this.#child.off('sentry-event', look);
        resolve();
      };
      this.#child.on('sentry-event', look);
      look();
    });
    await Promise.race([arrived, this.#ended]);
  }

  /** Resolves when the process has ended: it watches directories that are removed afterwards. */
  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended.catch(() => undefined);
  }
}

/** The sources are TypeScript, and a process that Node starts cannot read them. */
async function bundleProcess(): Promise<string> {
  const outfile = join(temporaryDirectory('model-sentry'), 'process.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('model-sentry-process.ts', import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'warning',
    outfile,
  });
  return outfile;
}
