import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { knownLines } from '../../src/app/explain/known-lines.ts';
import { findCommand } from '../../src/cli/find-command.ts';
import type { Manifest } from '../../src/cli/help.ts';
import { aliases, commandTable } from '../../src/commands/table.ts';
import { packageHome, run } from '../support/command-line.ts';
import { schemaViolations } from '../support/schema.ts';

const manifest = JSON.parse(readFileSync(`${packageHome}oclif.manifest.json`, 'utf8')) as Manifest;
const unknown = 'x509: certificate signed by unknown authority';

test('one line', async () => {
  const { status, stdout, stderr } = await run(['mtls', 'explain', unknown]);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain('(peer.unknown-authority)');
  expect(stdout).toContain('dapr-mtls audit -k');
});

test('a log on standard input, as JSON, for a directory', async () => {
  const input = `a\r\n${unknown}\r\n${unknown}`;
  const { status, stdout } = await run(['mtls', 'explain', '--dir', 'my certs', '--format', 'json'], { input });
  expect(status).toBe(0);
  const report = JSON.parse(stdout);
  expect(schemaViolations(report)).toEqual([]);
  expect(report).toMatchObject({ lines: 3, explanations: [{ seen: { count: 2, firstLine: 2, sample: unknown } }] });
  expect(stdout).toContain("dapr-mtls env --dir 'my certs'");
});

test('every line that is known', async () => {
  const { status, stdout } = await run(['mtls', 'explain', '--list']);
  expect(status).toBe(0);
  expect(knownLines.filter(({ code }) => !stdout.includes(`(${code})`))).toEqual([]);
});

test('the commands that it names are there, with these flags', () => {
  const acts = knownLines.flatMap(({ checks, mends }) => [...checks, ...mends]);
  const lines = new Set(acts.flatMap(({ command }) => command?.match(/dapr-mtls .*/)?.[0] ?? []));
  expect(lines.size).toBeGreaterThan(15);
  for (const line of lines) {
    const words = line.replace('STORE', '-k').split(' ').slice(1);
    const found = findCommand('dapr-mtls', words, Object.keys(commandTable), aliases);
    if (found.kind !== 'command') throw new Error(`${line} is no command`);
    const flags = manifest.commands[found.id.replaceAll(' ', ':')]?.flags ?? {};
    const known = Object.values(flags).flatMap(({ name, char }) => [`--${name}`, `-${char}`]);
    expect([line, found.argv.filter((word) => word.startsWith('-') && !known.includes(word))]).toEqual([line, []]);
  }
});
