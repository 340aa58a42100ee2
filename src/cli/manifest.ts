import type { Manifest } from './help.ts';
import { readPackageFile } from './package-files.ts';

/** oclif.manifest.json of the package: what every command says of itself, without loading it. */
export function readManifest(home: string): Manifest {
  return JSON.parse(readPackageFile(home, 'oclif.manifest.json')) as Manifest;
}
