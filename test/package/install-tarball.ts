import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageHome } from '../support/command-line.ts';

/** Packs the package and installs it, without a network, as a user has it. @returns what was packed, by path */
export function installTarball(packedInto: string, installedInto: string): string[] {
  const npm = (words: string[], cwd: string) =>
    execFileSync('npm', words, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const [packed] = JSON.parse(npm(['pack', '--json', '--pack-destination', packedInto], packageHome)) as [
    { filename: string; files: { path: string }[] },
  ];
  mkdirSync(installedInto);
  writeFileSync(join(installedInto, 'package.json'), '{ "private": true }\n');
  npm(['install', '--offline', '--no-audit', '--no-fund', join(packedInto, packed.filename)], installedInto);
  return packed.files.map(({ path }) => path).sort();
}
