import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { type FSWatcher, readFileSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isSystemError } from '../../src/errors.ts';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { encodeBundle } from '../../src/pki/encode.ts';
import { issueIssuer, issueRoot } from '../../src/pki/issue.ts';
import { whySentryRefuses } from '../../src/pki/sentry.ts';

export interface ModelSentryOptions {
  readonly directory: string;
  /** From an event to the reload; 2500 in Sentry. */
  readonly delayMs: number;
  /** Between the reads of two files; a Sentry on a slow disk. Every write that falls between is seen. */
  readonly readPauseMs: number;
}

/** What a Sentry has done, as a log would tell. */
export type SentryEvent = {
  /** How much a busy machine has added to the delay at most. */
  readonly lateMs: number;
} & (
  | { readonly kind: 'loaded'; readonly fingerprint: string }
  /** The accident: a file was missing, so all three were made anew. */
  | { readonly kind: 'generated'; readonly missing: string }
  | { readonly kind: 'exited'; readonly reason: string }
);

const names = ['ca.crt', 'issuer.crt', 'issuer.key'] as const;
const furtherNames = 0.8;

/**
 * Sentry as far as a directory of certificates is concerned (measured on 1.17.13): any event on any
 * name makes it reload after a delay, and once more for each further name; a bundle that it refuses
 * ends it, and where a file is missing it makes all three anew.
 */
export class ModelSentry {
  readonly #options: ModelSentryOptions;
  readonly #report: (event: SentryEvent) => void;
  readonly #due = new Map<string, { at: number; timer: NodeJS.Timeout }>();
  /** Also an event may have been noticed late. */
  readonly #standstills = monitorEventLoopDelay({ resolution: 5 });
  #watcher: FSWatcher | undefined;
  #loading: Promise<void> = Promise.resolve();

  constructor(options: ModelSentryOptions, report: (event: SentryEvent) => void) {
    this.#options = options;
    this.#report = report;
  }

  /** Resolves when the first load is done. */
  async start(): Promise<void> {
    this.#standstills.enable();
    this.#watcher = watch(this.#options.directory, (_, name) => this.#noticed(name ?? ''));
    await this.#reload(Date.now());
  }

  stop(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    for (const { timer } of this.#due.values()) clearTimeout(timer);
    this.#due.clear();
  }

  #noticed(name: string): void {
    const { delayMs } = this.#options;
    const pending = this.#due.get(name);
    clearTimeout(pending?.timer);
    const latest = Math.max(0, ...[...this.#due.values()].map(({ at }) => at));
    const isFurther = !pending && latest > 0;
    const at = isFurther ? latest + furtherNames * delayMs : Math.max(Date.now() + delayMs, pending?.at ?? 0);
    const timer = setTimeout(() => {
      this.#due.delete(name);
      this.#loading = this.#loading.then(() => this.#reload(at));
    }, at - Date.now());
    this.#due.set(name, { at, timer });
  }

  async #reload(at: number): Promise<void> {
    if (!this.#watcher) return;
    const late = () => {
      const standstillMs = this.#standstills.max / 1e6;
      this.#standstills.reset();
      return { lateMs: Math.round(Math.max(Date.now() - at, standstillMs)) };
    };
    const files: Buffer[] = [];
    for (const name of names) {
      if (files.length > 0) await pause(this.#options.readPauseMs);
      try {
        files.push(readFileSync(join(this.#options.directory, name)));
      } catch (error) {
        if (isSystemError(error) && error.code === 'ENOENT') return this.#generate(name, late());
        return this.#exit(String(error), late());
      }
    }
    const [anchors, issuerChain, issuerKey] = files as [Buffer, Buffer, Buffer];
    const bundle: BundleFiles = { anchors, issuerChain, issuerKey };
    const refusal = whySentryRefuses(bundle, new Date());
    if (refusal) return this.#exit(refusal, late());
    this.#report({ kind: 'loaded', fingerprint: fingerprint(bundle), ...late() });
  }

  async #generate(missing: string, late: { lateMs: number }): Promise<void> {
    const { anchors, issuerChain, issuerKey } = await makeBundle();
    const contents = [anchors, issuerChain, issuerKey];
    for (const [index, name] of names.entries()) {
      writeFileSync(join(this.#options.directory, name), contents[index] ?? '', { mode: 0o600 });
    }
    this.#report({ kind: 'generated', missing, ...late });
  }

  #exit(reason: string, late: { lateMs: number }): void {
    this.stop();
    this.#report({ kind: 'exited', reason, ...late });
  }
}

/** Equal fingerprints mean equal bytes of all three files. */
export function fingerprint({ anchors, issuerChain, issuerKey }: BundleFiles): string {
  return [anchors, issuerChain, issuerKey].map((content) => content.toString('base64')).join(' ');
}

async function makeBundle(): Promise<BundleFiles> {
  const now = Date.now();
  const context = {
    trustDomain: 'cluster.local',
    notBefore: new Date(now),
    newSerial: () => `40${randomBytes(15).toString('hex')}`,
  };
  const newKey = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
  const end = new Date(now + 365 * 86_400_000);
  const root = await issueRoot(newKey(), end, context);
  const issuer = await issueIssuer(root, newKey(), end, context);
  return encodeBundle({ anchors: [root.certificate], issuerChain: [issuer.certificate], issuerKey: issuer.key });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
