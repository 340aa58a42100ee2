import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { packageHome } from '../support/command-line.ts';
import { installTarball } from './install-tarball.ts';

/** Where vitest.config.ts tells the command line's tests to look. */
const folder = join(packageHome, 'node_modules/.cache/dapr-mtls-tarball');

/** Once before all tests that run the installed tarball. */
export default function setUp(): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  installTarball(folder, join(folder, 'installed'));
}
