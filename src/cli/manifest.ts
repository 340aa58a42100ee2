import { readFileSync } from 'node:fs';
import type { Manifest } from './help.ts';

/** oclif.manifest.json of the package: what every command says of itself, without loading it. */
export function readManifest(home: URL): Manifest {
  return JSON.parse(readFileSync(new URL('oclif.manifest.json', home), 'utf8')) as Manifest;
}
