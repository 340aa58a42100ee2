import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Manifest } from '../../src/cli/help.ts';
import { packageHome, run, runAny } from '../support/command-line.ts';
import { makeFolder, makeWorkplace } from '../support/workplace.ts';

const manifest = JSON.parse(readFileSync(`${packageHome}oclif.manifest.json`, 'utf8')) as Manifest;
const examples = Object.entries(manifest.commands).flatMap(([id, { examples = [] }]) =>
  examples.map(({ command, description }) => ({ id: id.replaceAll(':', ' '), command, description })),
);
const parent = makeFolder('examples');

/** `dapr-mtls` and `dapr mtls`, as a user has them on the PATH. */
const onPath = `dapr-mtls() { '${process.execPath}' '${packageHome}bin/dapr-mtls.js' "$@"; }\n`;

/** These say by their exit code what they were asked: 10 is an answer. */
const answers = /--fail-on|check /;

test('every command has a summary, a description and examples', () => {
  for (const [id, { summary, description, examples = [] }] of Object.entries(manifest.commands)) {
    expect({ id, summary: Boolean(summary), description: Boolean(description), examples: examples.length > 0 }).toEqual(
      {
        id,
        summary: true,
        description: true,
        examples: true,
      },
    );
  }
});

test.each(examples)('$id: $command', async ({ id, command }) => {
  const folder = await makeWorkplace(parent, String(examples.findIndex((example) => example.command === command)));
  if (id === 'mtls backup restore') await prepareBackups(folder);
  const line = command.replaceAll('<%= bin %>', 'dapr-mtls');
  const { status, stderr } = await runAny('bash', ['-c', `set -o pipefail\n${onPath}${line}`], {
    cwd: folder,
    env: { HOME: folder, DAPR_MTLS_SETTLE: '0' },
  });
  const accepted = answers.test(line) ? [0, 10] : [0];
  expect(accepted, `${line}\n${stderr}`).toContain(status);
  expect(stderr).not.toMatch(/^\s+at /m);
});

async function prepareBackups(folder: string): Promise<void> {
  await run(['renew-certificate', '--dir', 'certs', '--settle', '0'], { cwd: folder });
  const backups = join(folder, 'certs.mtls', 'backups');
  const { stdout } = await run(['backup', 'list', '--dir', 'certs', '--format', 'json'], { cwd: folder });
  const [newest] = (JSON.parse(stdout) as { backups: { id: string }[] }).backups;
  cpSync(join(backups, newest?.id ?? ''), join(backups, '20261122T030405Z'), { recursive: true });
  expect(existsSync(join(backups, '20261122T030405Z', 'issuer.key'))).toBe(true);
}
