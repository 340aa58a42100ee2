import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { run } from './command-line.ts';
import { type ForeignBundle, fixturePath } from './fixtures.ts';

/** A folder of its own for one test file, removed at its end. */
export function makeFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `dapr-mtls-${name}-`));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Made once for a test file; every place of it is a copy. */
let model: Promise<string> | undefined;

/** What the help pages' examples take for granted: a bundle, a kept root key, a passphrase, own files. */
export async function makeWorkplace(parent: string, name: string): Promise<string> {
  const folder = join(parent, name);
  model ??= makeModel(join(parent, 'model'));
  cpSync(await model, folder, { recursive: true });
  return folder;
}

async function makeModel(folder: string): Promise<string> {
  mkdirSync(join(folder, 'kept'), { recursive: true });
  writeFileSync(join(folder, 'passphrase'), 'correct horse battery staple\n');
  const made = await run(['init', '--dir', 'certs', '--save-root-key', 'root.key', '--passphrase-file', 'passphrase'], {
    cwd: folder,
  });
  if (made.status !== 0) throw new Error(`init failed: ${made.stderr}`);
  for (const file of ['ca.crt', 'issuer.crt', 'issuer.key']) {
    cpSync(fixturePath(`pki/openssl-docs/${file}`), join(folder, file));
  }
  return folder;
}

/** A copy of a bundle that another program made, as a directory. */
export function copyBundle(parent: string, name: ForeignBundle | 'bridged', as = name as string): string {
  const folder = join(parent, as);
  cpSync(fixturePath(`pki/${name}`), folder, { recursive: true });
  return folder;
}
