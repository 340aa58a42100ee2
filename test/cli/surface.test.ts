import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Manifest } from '../../src/cli/help.ts';
import { commandTable } from '../../src/commands/table.ts';
import { packageHome, run } from '../support/command-line.ts';
import { expectGolden } from '../support/golden.ts';

const manifest = JSON.parse(readFileSync(`${packageHome}oclif.manifest.json`, 'utf8')) as Manifest;

test('the surface of commands, arguments and flags is the one that is written down', async () => {
  const surface = Object.entries(manifest.commands).map(([id, { aliases = [], args, flags }]) => {
    const describe = ({ name, char, type, options, default: fallback }: (typeof flags)[string]) =>
      `    --${name}${char ? ` -${char}` : ''} ${type}${options ? ` ${options.join('|')}` : ''}${fallback === undefined ? '' : ` = ${String(fallback)}`}`;
    return [
      `${[id, ...aliases].join(', ')} ${Object.keys(args).join(' ')}`.trimEnd(),
      ...Object.values(flags).map(describe),
    ].join('\n');
  });
  await expectGolden('surface.txt', `${surface.join('\n\n')}\n`);
});

test('the manifest holds exactly the commands of the table', () => {
  const ids = Object.keys(commandTable).map((id) => id.replaceAll(' ', ':'));
  expect(Object.keys(manifest.commands).sort()).toEqual(ids.sort());
});

test.each(Object.keys(commandTable))('%s --help fits into 80 columns', async (id) => {
  const { status, stdout } = await run([...id.split(' '), '--help']);
  expect(status).toBe(0);
  const prose = stdout.split('\n').filter((line) => !line.startsWith('    $ '));
  expect(prose.filter((line) => line.length > 80)).toEqual([]);
});
