import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type InitInput, initialize } from '../../src/app/init.ts';
import { encodePrivateKey, generateKey } from '../../src/pki/keys.ts';
import { bundleParts } from '../../src/pki/reading.ts';
import { listBackups } from '../../src/store/directory/backups.ts';
import { defaultNames } from '../../src/store/file-names.ts';
import {
  initInput,
  linkAsKubelet,
  makeTrustDirectory,
  openTrustDirectory,
  type TrustDirectory,
} from '../support/trust-directory.ts';

/** A command that changes the store `certs` of the folder in which it runs. */
export interface ChangingCommand {
  readonly name: string;
  args(folder: string): readonly string[];
  /** Lays out what the command finds. */
  prepare(folder: string): Promise<void>;
  /** Files outside the store that may hold a key, before or after. */
  readonly keyFiles: readonly string[];
}

const store = ['--dir', 'certs', '--settle', '0'];

export const changingCommands: readonly ChangingCommand[] = [
  {
    name: 'init',
    args: () => ['init', ...store, '--save-root-key', 'root.key', '--insecure-plaintext-key'],
    prepare: async () => undefined,
    keyFiles: ['root.key'],
  },
  { name: 'init --force', args: () => ['init', '--force', ...store], prepare: placeBundle, keyFiles: [] },
  {
    name: 'renew-certificate',
    args: () => ['renew-certificate', ...store, '--save-root-key', 'root.key', '--insecure-plaintext-key'],
    prepare: placeBundle,
    keyFiles: ['root.key'],
  },
  {
    name: 'renew-certificate --private-key',
    args: () => ['renew-certificate', ...store, '--private-key', 'given.key'],
    prepare: async (folder) => {
      const rootKey = generateKey('p256');
      await placeBundle(folder, { rootKey });
      writeFileSync(join(folder, 'given.key'), encodePrivateKey(rootKey), { mode: 0o600 });
    },
    keyFiles: ['given.key'],
  },
  {
    name: 'renew-certificate with own files',
    args: () => [
      ...['renew-certificate', ...store, '--ca-root-certificate', 'own/ca.crt'],
      ...['--issuer-public-certificate', 'own/issuer.crt', '--issuer-private-key', 'own/issuer.key'],
    ],
    prepare: async (folder) => {
      await placeBundle(folder);
      copyBundle(await makeTrustDirectory(), join(folder, 'own'));
    },
    keyFiles: ['own/issuer.key'],
  },
  {
    name: 'renew-certificate, files linked through ..data',
    args: () => ['renew-certificate', ...store],
    prepare: async (folder) => {
      await placeBundle(folder);
      linkAsKubelet(join(folder, 'certs'));
    },
    keyFiles: [],
  },
  {
    name: 'backup restore',
    args: (folder) => ['backup', 'restore', listBackups(join(folder, 'certs.mtls')).at(-1)?.id ?? '', ...store],
    prepare: async (folder) => {
      await placeBundle(folder);
      // The change leaves a copy of what was there before, which is the one to restore.
      await placeBundle(folder, { force: true });
    },
    keyFiles: [],
  },
];

async function placeBundle(folder: string, input: Partial<InitInput> = {}): Promise<void> {
  await initialize(openTrustDirectory(join(folder, 'certs')).store(), initInput(input));
}

function copyBundle(trust: TrustDirectory, folder: string): void {
  mkdirSync(folder);
  const files = trust.files();
  for (const part of bundleParts) writeFileSync(join(folder, defaultNames[part]), files[part] ?? '', { mode: 0o600 });
}
