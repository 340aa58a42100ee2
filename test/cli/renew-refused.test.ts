import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RenewalReport } from '../../src/app/renew/report.ts';
import { run } from '../support/command-line.ts';
import { makeFolder, makeWorkplace } from '../support/workplace.ts';

const parent = makeFolder('renew-refused');

/** A workplace whose `damaged` is its bundle with the beginning of a `ca.crt`. */
async function makeDamaged(name: string) {
  const folder = await makeWorkplace(parent, name);
  const damaged = join(folder, 'damaged');
  cpSync(join(folder, 'certs'), damaged, { recursive: true });
  writeFileSync(join(damaged, 'ca.crt'), readFileSync(join(damaged, 'ca.crt')).subarray(0, 300));
  return (words: string) => run([...words.split(' '), '--dir', 'damaged'], { cwd: folder, env: { HOME: folder } });
}

const warnings = [
  'ca.crt does not tell which anchors the sidecars hold: none in it can be read.',
  'Warning: who holds the anchors from before the damage does not verify certificates of the new issuer.',
  'Warning: who holds the new anchors does not verify certificates of the old issuer.',
];

test('to replace a bundle that Sentry refuses says who is cut off, before and after', async () => {
  const type = await makeDamaged('text');
  const dry = await type('renew-certificate --dry-run');
  expect(dry.stdout).toMatch(/^ {2}the anchors from before the damage +- +NO\n {2}the new anchors +NO +yes$/m);
  expect(dry.stderr.split('\n')).toEqual(expect.arrayContaining(warnings));
  expect(dry.stderr).toMatch(/^Without cutting anybody off: a copy from before the damage: `dapr-mtls backup list /m);

  const renewed = await type('renew-certificate --settle 0');
  expect(renewed.status).toBe(0);
  expect(renewed.stderr.split('\n')).toEqual(expect.arrayContaining(warnings));
  expect(renewed.stderr).toMatch(
    /^Restart Sentry and every sidecar now\. What cuts nobody off is a copy from before /m,
  );
  for (const { stderr } of [dry, renewed]) expect(stderr).not.toContain('rotate');
});

test('the document says it as well', async () => {
  const type = await makeDamaged('json');
  const { stdout } = await type('renew-certificate --dry-run --format json');
  const { trust, remarks }: RenewalReport = JSON.parse(stdout);
  expect(remarks).toContain(warnings[0]);
  expect(trust.filter(({ verifies }) => !verifies).map(({ holder }) => holder)).toEqual([
    'the anchors from before the damage',
    'the new anchors',
  ]);
});

test('the copy that check names first cuts off nobody', async () => {
  const type = await makeDamaged('copy');
  const folder = join(parent, 'copy');
  expect((await type('check')).stdout).toMatch(
    /Mend: Bring ca\.crt back from before the damage, .*`dapr-mtls backup restore --dir damaged`.*`dapr-mtls renew-certificate --dir damaged`/,
  );
  // The copy that was made in better days.
  const [damaged, sound] = [join(folder, 'damaged', 'ca.crt'), join(folder, 'certs', 'ca.crt')];
  const cut = readFileSync(damaged);
  cpSync(sound, damaged);
  expect((await type('backup create')).status).toBe(0);
  rmSync(damaged);
  writeFileSync(damaged, cut);
  const { status, stderr } = await type('backup restore --settle 0');
  expect(status, stderr).toBe(0);
  expect(stderr).not.toContain('does not verify');
});
