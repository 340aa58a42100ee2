import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Manifest } from './help.ts';

/** oclif.manifest.json of the package: what every command says of itself, without loading it. */
export function readManifest(home: string): Manifest {
  return JSON.parse(readFileSync(join(home, 'oclif.manifest.json'), 'utf8')) as Manifest;
}
