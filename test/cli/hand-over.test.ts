import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bareEnvironment, run } from '../support/command-line.ts';
import { commandOf, shellCommandOf } from '../support/program-under-test.ts';
import { copyBundle, makeFolder } from '../support/workplace.ts';

const folder = makeFolder('hand-over');
const systemPath = process.env.PATH ?? '';

/** A stand-in for the official CLI: says how it was called. */
function makeOfficial(name: string, body: string): string {
  const directory = join(folder, name);
  mkdirSync(directory);
  writeFileSync(join(directory, 'dapr'), `#!/bin/sh\n${body}\n`);
  chmodSync(join(directory, 'dapr'), 0o755);
  return directory;
}

const echo = makeOfficial('echo', 'printf "%s|" "$@"; cat; echo error >&2; exit 7');

describe('the name dapr', () => {
  test.each([
    [['run', '--app-id', 'my app', '--', 'node', "it's.js"]],
    [['--version']],
    [['help', 'run']],
    [['init']],
    [['stop', '--app-id', 'status']],
    [[]],
  ])('hands %j on untouched, with streams and exit code', async (words) => {
    const result = await run(words, { program: 'dapr', env: { PATH: `${echo}:${systemPath}` }, input: 'from stdin' });
    expect(result).toEqual({
      status: 7,
      signal: null,
      stdout: `${words.map((word) => `${word}|`).join('') || '|'}from stdin`,
      stderr: 'error\n',
    });
  });

  test('keeps mtls for itself', async () => {
    const directory = copyBundle(folder, 'sentry-1.17');
    const { status, stdout } = await run(['mtls', 'expiry', '--dir', directory], {
      program: 'dapr',
      env: { PATH: `${echo}:${systemPath}` },
    });
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: expect.stringMatching(
        /^Root certificate expires in \d+ hours\. Expiry date: 2027-11-22 01:06:12 \+0000 UTC\n$/,
      ),
    });
  });

  test('keeps status for itself', async () => {
    const { status, stdout, stderr } = await run(['status'], {
      program: 'dapr',
      env: { PATH: `${echo}:${systemPath}` },
    });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('required flag(s) "kubernetes" not set');
  });

  test('says what is ours when there is nobody to hand over to', async () => {
    const result = await run(['run'], { program: 'dapr', env: { PATH: join(folder, 'nowhere') } });
    expect(result.status).toBe(2);
    expect(result.stderr).toContain('Ours is `dapr mtls ...`');
  });

  test('passes over itself, also behind a link, and refuses a second hop', async () => {
    const links = join(folder, 'links');
    mkdirSync(links);
    symlinkSync(commandOf('dapr').at(-1) ?? '', join(links, 'dapr'));
    const past = await run(['run'], { program: 'dapr', env: { PATH: `${links}:${echo}:${systemPath}` } });
    expect(past.status).toBe(7);
    const again = makeOfficial('again', `exec ${shellCommandOf('dapr')} "$@"`);
    const hop = await run(['run'], { program: 'dapr', env: { PATH: `${again}:${systemPath}` } });
    expect(hop.status).toBe(2);
    expect(hop.stderr).toContain('this program again');
  });

  test('passes signals on and dies of the one that the other died of', async () => {
    const sleeper = makeOfficial(
      'sleeper',
      'trap "echo caught; exit 42" INT\necho ready\nwhile :; do sleep 0.05; done',
    );
    const [program, ...before] = commandOf('dapr');
    const child = spawn(program, [...before, 'run'], {
      env: { ...bareEnvironment, PATH: `${sleeper}:${systemPath}` },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    for await (const chunk of child.stdout) {
      output += chunk;
      if (output === 'ready\n') child.kill('SIGINT');
    }
    expect(output).toBe('ready\ncaught\n');
    expect(child.exitCode ?? (await once(child, 'exit'))[0]).toBe(42);

    const suicidal = makeOfficial('suicidal', 'kill -TERM $$');
    const result = await run(['run'], { program: 'dapr', env: { PATH: `${suicidal}:${systemPath}` } });
    expect(result).toMatchObject({ status: null, signal: 'SIGTERM' });
  });
});
