import { mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { runAny } from '../support/command-line.ts';
import { expectGolden } from '../support/golden.ts';
import { makeFolder } from '../support/workplace.ts';
import { installTarball } from './install-tarball.ts';

const folder = makeFolder('package');
/** As a user has it: an empty folder whose name is no plain word. */
const installed = join(folder, 'Zertifikate für Dapr');
let files: string[];

beforeAll(() => {
  files = installTarball(folder, installed);
}, 300_000);

const program = (name: string) => join(installed, 'node_modules', '.bin', name);

describe('the packed tarball', () => {
  test('holds only what runs', async () => {
    await expectGolden('tarball.txt', `${files.join('\n')}\n`);
  });

  test('needs nothing else to be installed', () => {
    expect(readdirSync(join(installed, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['dapr-mtls']);
    const { dependencies } = JSON.parse(
      readFileSync(join(installed, 'node_modules', 'dapr-mtls', 'package.json'), 'utf8'),
    );
    expect(dependencies).toBeUndefined();
  });

  test('makes, checks and renews a bundle from another working directory, under both names', async () => {
    const elsewhere = join(folder, 'an other place');
    mkdirSync(elsewhere);
    const here = (name: string, words: string[]) =>
      runAny(program(name), words, { cwd: elsewhere, env: { HOME: elsewhere } });
    expect(await here('dapr-mtls', ['init', '--dir', 'schlüssel/certs'])).toMatchObject({ status: 0 });
    expect(await here('dapr', ['mtls', 'check', '--dir', 'schlüssel/certs'])).toMatchObject({
      status: 0,
      stdout: '✓ Sentry and its clients accept this bundle\n',
    });
    expect(await here('dapr-mtls', ['renew-certificate', '--dir', 'schlüssel/certs', '--settle', '0'])).toMatchObject({
      status: 0,
    });
    const { stdout } = await here('dapr', ['mtls', 'expiry', '--dir', 'schlüssel/certs', '--format', 'json']);
    expect(JSON.parse(stdout).store.name).toBe(join(realpathSync(elsewhere), 'schlüssel', 'certs'));
    expect(await here('dapr', ['mtls', 'expiry', '--help'])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('dapr mtls expiry [FLAGS]'),
    });
  });

  test('ships the manifest, the schemas and the licences of what it bundles', () => {
    const home = join(installed, 'node_modules', 'dapr-mtls');
    expect(JSON.parse(readFileSync(join(home, 'oclif.manifest.json'), 'utf8')).commands['mtls:expiry'].summary).toMatch(
      /root certificate/,
    );
    expect(JSON.parse(readFileSync(join(home, 'schemas', 'dapr-mtls.v1.json'), 'utf8')).$id).toBe('dapr-mtls/v1');
    const licences = readFileSync(join(home, 'dist', 'THIRD-PARTY-LICENSES.txt'), 'utf8');
    for (const name of ['@oclif/core', '@peculiar/x509', 'yaml']) expect(licences).toContain(`\n${name} `);
  });
});
