import { spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

/** Chromium without a window, told what to do by its own protocol through a pipe: no port, no driver. */
export interface Browser {
  open(url: string, look: Look): Promise<Page>;
  close(): Promise<void>;
}

export interface Look {
  readonly width: number;
  readonly scheme: 'light' | 'dark';
  readonly media?: 'screen' | 'print';
}

export interface Page {
  /** The value of an expression, promises waited for. */
  evaluate<T>(expression: string): Promise<T>;
  /** Runs a script that is no expression. */
  run(script: string): Promise<void>;
  press(key: 'Tab' | 'Enter' | ' '): Promise<void>;
  /** PNG of the whole page. */
  screenshot(): Promise<Buffer>;
  pdf(): Promise<Buffer>;
  /** Every address that was asked for, the page itself first. */
  readonly requests: readonly string[];
  /** What the console was told, the violations of the page's own policy among it. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Undefined where none is on the PATH and CHROMIUM names none. */
export function findChromium(env: NodeJS.ProcessEnv): string | undefined {
  const onPath = (env.PATH ?? '').split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  return [...(env.CHROMIUM ? [env.CHROMIUM] : []), ...onPath].find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What keeps it from looking for anything on a network by itself. */
const quiet = [
  '--headless',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-extensions',
  '--force-color-profile=srgb',
  '--hide-scrollbars',
  '--remote-debugging-pipe',
];

/** In a container of root's it has no sandbox of its own. */
const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];

export async function startChromium(program: string): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
  const child = spawn(program, [...quiet, ...asRoot, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const [, , , into, outOf] = child.stdio as unknown as [null, null, null, Writable, Readable];
  const line = speak(into, outOf, ended);
  return {
    open: (url, look) => openPage(line, url, look),
    close: async () => {
      await Promise.race([line.send('Browser.close'), ended]);
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

interface Line {
  send<T = unknown>(method: string, params?: object, sessionId?: string): Promise<T>;
  on(sessionId: string, listener: (method: string, params: Record<string, unknown>) => void): void;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly sessionId?: string;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** Messages in JSON with a NUL between them. */
function speak(into: Writable, outOf: Readable, ended: Promise<void>): Line {
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  const listeners = new Map<string, (method: string, params: Record<string, unknown>) => void>();
  let last = 0;
  let rest = Buffer.alloc(0);
  const take = ({ id, method, params, sessionId, result, error }: Message) => {
    if (id === undefined) return listeners.get(sessionId ?? '')?.(method ?? '', params ?? {});
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error) asked?.reject(new Error(error.message));
    else asked?.resolve(result as never);
  };
  into.on('error', () => {});
  outOf.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
      take(JSON.parse(rest.subarray(0, end).toString('utf8')) as Message);
      rest = rest.subarray(end + 1);
    }
  });
  void ended.then(() => {
    for (const { reject } of waiting.values()) reject(new Error('Chromium has ended'));
  });
  return {
    send: (method, params = {}, sessionId) =>
      new Promise((resolve, reject) => {
        last += 1;
        waiting.set(last, { resolve, reject });
        into.write(`${JSON.stringify({ id: last, method, params, ...(sessionId ? { sessionId } : {}) })}\0`);
      }),
    on: (sessionId, listener) => void listeners.set(sessionId, listener),
  };
}

async function openPage(line: Line, url: string, { width, scheme, media = 'screen' }: Look): Promise<Page> {
  const { targetId } = await line.send<{ targetId: string }>('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await line.send<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true });
  const send = <T>(method: string, params?: object) => line.send<T>(method, params, sessionId);
  const requests: string[] = [];
  const complaints: string[] = [];
  const loaded = new Promise<void>((resolve) => {
    line.on(sessionId, (method, params) => {
      if (method === 'Network.requestWillBeSent') requests.push((params as { request: { url: string } }).request.url);
      if (method === 'Log.entryAdded') complaints.push((params as { entry: { text: string } }).entry.text);
      if (method === 'Page.loadEventFired') resolve();
    });
  });
  await Promise.all(['Page.enable', 'Network.enable', 'Log.enable', 'Runtime.enable'].map((method) => send(method)));
  await send('Emulation.setDeviceMetricsOverride', { width, height: 900, deviceScaleFactor: 1, mobile: width < 600 });
  await send('Emulation.setEmulatedMedia', { media, features: [{ name: 'prefers-color-scheme', value: scheme }] });
  await send('Page.navigate', { url });
  await loaded;
  const evaluate = async <T>(expression: string): Promise<T> => {
    const { result, exceptionDetails } = await send<{
      result: { value: T };
      exceptionDetails?: { text: string; exception?: { description?: string } };
    }>('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  const binary = async (method: string, params: object) =>
    Buffer.from((await send<{ data: string }>(method, params)).data, 'base64');
  return {
    evaluate,
    run: async (script) => void (await evaluate(`${script};undefined`)),
    press: async (key) => {
      const code = key === ' ' ? 'Space' : key;
      const windowsVirtualKeyCode = { Tab: 9, Enter: 13, ' ': 32 }[key];
      const text = { Tab: undefined, Enter: '\r', ' ': ' ' }[key];
      await send('Input.dispatchKeyEvent', {
        type: 'keyDown',
        key,
        code,
        windowsVirtualKeyCode,
        ...(text ? { text } : {}),
      });
      await send('Input.dispatchKeyEvent', { type: 'keyUp', key, code, windowsVirtualKeyCode });
    },
    screenshot: async () => {
      const height = await evaluate<number>('document.documentElement.scrollHeight');
      const clip = { x: 0, y: 0, width, height, scale: 1 };
      return binary('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true, clip });
    },
    pdf: () => binary('Page.printToPDF', { preferCSSPageSize: true, paperWidth: 8.27, paperHeight: 11.69 }),
    requests,
    complaints,
    close: async () => void (await line.send('Target.closeTarget', { targetId })),
  };
}
