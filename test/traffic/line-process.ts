import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

/** A process that tells events as lines of JSON, and goes when its standard input ends. */
export interface LineProcess<Event> {
  send(line: object): void;
  /** The first event that matches, told already or still to come. Rejects when the process ends without it. */
  seen<Wanted extends Event>(match: (event: Event) => event is Wanted): Promise<Wanted>;
  seen(match: (event: Event) => boolean): Promise<Event>;
  /** Asks it to end in order, and waits until it has. Rejects where it has failed instead. */
  stop(): Promise<void>;
}

interface Start<Event> {
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly onEvent: (event: Event) => void;
}

/** If these tests are killed, the pipe to its standard input closes: it is never left behind. */
export function startLineProcess<Event>({ command, env, onEvent }: Start<Event>): LineProcess<Event> {
  const [file, ...args] = command;
  const child = spawn(file, args, { env: { ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  const told: Event[] = [];
  const listeners = new Set<(event: Event) => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line) as Event;
    told.push(event);
    onEvent(event);
    for (const listener of listeners) listener(event);
  });
  // A process that ends meanwhile says so by its status; EPIPE would hide it.
  child.stdin.on('error', () => undefined);
  const complaints = text(child.stderr);
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', async (code, signal) => {
      if (code === 0) return resolve();
      reject(new Error(`${[file, ...args].join(' ')} ended with ${signal ?? code}: ${await complaints}`));
    });
  });
  // Who waits for something of it gets the error; nobody else has to.
  ended.catch(() => undefined);

  function seen(match: (event: Event) => boolean): Promise<Event> {
    const past = told.find(match);
    if (past !== undefined) return Promise.resolve(past);
    return new Promise((resolve, reject) => {
      const listener = (event: Event) => {
        if (!match(event)) return;
        listeners.delete(listener);
        resolve(event);
      };
      listeners.add(listener);
      ended.then(() => reject(new Error(`${file} ended before it told what was waited for`)), reject);
    });
  }

  return {
    send: (line) => void child.stdin.write(`${JSON.stringify(line)}\n`),
    seen: seen as LineProcess<Event>['seen'],
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}
