import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { initialize } from '../../src/app/init.ts';
import type { PhaseName, Procedure } from '../../src/app/rotate/record.ts';
import { encodePrivateKey, generateKey } from '../../src/pki/keys.ts';
import type { LiveSentry } from '../support/live-sentry.ts';
import type { Program } from '../support/program.ts';
import { initInput, openTrustDirectory } from '../support/trust-directory.ts';

/** A rotation of the store `certs` of the folder in which it runs, by one line that is typed until it is done. */
export interface RotationLine {
  readonly name: string;
  readonly procedure: Procedure;
  readonly words: readonly string[];
  /** `transitions`: before and behind each record, and where the bundle and the root's key are written. */
  readonly kills: 'all' | 'transitions' | 'root key';
  /** Where it ends. */
  readonly end: 'done' | 'undone';
  /** Carried out before the line: the rotation stands behind this phase then. */
  readonly until?: PhaseName;
  /** Where the key of a new root is to be kept. */
  readonly keeps?: string;
}

const passphrase = 'correct horse battery staple';
const way = ['--dir', 'certs', '--settle', '0', '--restart-command', 'true', '--wait', '--yes'];
const kept = 'kept/new-root.key';
const inClear = ['--save-root-key', kept, '--insecure-plaintext-key'];
const encrypted = ['--save-root-key', kept, '--passphrase-file', 'passphrase'];
const staged = ['rotate', 'run', ...way, '--procedure', 'staged', '--drain', 'restart', ...inClear];

export const rotationLines: readonly RotationLine[] = [
  {
    name: 'same-root',
    procedure: 'same-root',
    words: ['rotate', 'run', ...way, '--procedure', 'same-root', '--private-key', 'given.key'],
    kills: 'all',
    end: 'done',
  },
  {
    name: 'same-key',
    procedure: 'same-key',
    words: ['rotate', 'run', ...way, '--procedure', 'same-key', '--private-key', 'given.key'],
    kills: 'transitions',
    end: 'done',
  },
  {
    name: 'bridge, its keys encrypted',
    procedure: 'bridge',
    words: ['rotate', 'run', ...way, '--procedure', 'bridge', '--dapr-version', '1.17', ...encrypted],
    // Each of its runs opens its keys with a passphrase again and again, which is slow on purpose.
    kills: 'root key',
    end: 'done',
    keeps: kept,
  },
  { name: 'staged', procedure: 'staged', words: staged, kills: 'transitions', end: 'done', keeps: kept },
  {
    name: 'undo behind the switch',
    procedure: 'staged',
    words: ['rotate', 'undo', ...way],
    kills: 'transitions',
    end: 'undone',
    until: 'switch',
  },
];

/** Lays out what the line finds. */
export async function layOut(
  folder: string,
  line: RotationLine,
  program: Pick<Program, 'run'>,
  sentry: LiveSentry,
): Promise<void> {
  const rootKey = generateKey('p256');
  const trust = openTrustDirectory(join(folder, 'certs'));
  await initialize(trust.store(), initInput({ rootKey }));
  mkdirSync(join(folder, 'kept'));
  writeFileSync(join(folder, 'given.key'), encodePrivateKey(rootKey), { mode: 0o600 });
  writeFileSync(join(folder, 'passphrase'), `${passphrase}\n`);
  if (line.until === undefined) return;
  sentry.serve(openTrustDirectory(join(folder, 'certs')).files);
  const before = [...staged.filter((word) => !inClear.includes(word)), '--until', line.until];
  const { exitCode, stderr } = await program.run([...before, '--sentry', sentry.address], { cwd: folder });
  expect(exitCode, stderr).toBe(0);
}

/** Of the file that a line was to keep a root's key in. */
export function passphraseOf({ words }: RotationLine): string | undefined {
  return words.includes('--passphrase-file') ? passphrase : undefined;
}
