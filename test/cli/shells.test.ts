import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { renderEnvironment } from '../../src/render/environment.ts';
import { run, runAny } from '../support/command-line.ts';
import { copyBundle, makeFolder } from '../support/workplace.ts';

const folder = makeFolder('shells');
const directory = copyBundle(folder, 'bridged');

/** Each shell that is there evaluates the lines and prints the variable byte by byte. */
const shells = [
  { shell: 'bash', command: ['bash', '-c'], evaluate: (file: string) => `. '${file}'; printenv DAPR_TRUST_ANCHORS` },
  {
    shell: 'zsh',
    command: ['zsh', '-f', '-c'],
    evaluate: (file: string) => `. '${file}'; printenv DAPR_TRUST_ANCHORS`,
  },
  {
    shell: 'fish',
    command: ['fish', '-c'],
    evaluate: (file: string) => `source '${file}'; printenv DAPR_TRUST_ANCHORS`,
  },
  {
    shell: 'powershell',
    command: ['pwsh', '-NoProfile', '-Command'],
    evaluate: (file: string) => `. '${file}'; [Console]::Out.Write($env:DAPR_TRUST_ANCHORS + "\`n")`,
  },
] as const;

function isThere(program: string): boolean {
  return spawnSync(program, ['--version']).error === undefined;
}

describe.each(shells)('env --shell $shell', ({ shell, command, evaluate }) => {
  const [program] = command;
  test.skipIf(!isThere(program))(
    `gives ${program} several lines and quotes unharmed (skipped where ${program} is missing)`,
    async () => {
      const extension = shell === 'powershell' ? 'ps1' : 'sh';
      const file = join(folder, `env-${shell}.${extension}`);
      const { stdout } = await run(['env', '--dir', directory, '--shell', shell]);
      writeFileSync(file, stdout);
      const seen = await runAny(command[0], [...command.slice(1), evaluate(file)]);
      const { stdout: json } = await run(['env', '--dir', directory, '--format', 'json']);
      const { variables } = JSON.parse(json) as { variables: Record<string, string> };
      expect(seen.stdout).toBe(`${variables.DAPR_TRUST_ANCHORS}\n`);

      const hard = `it's \\ "two"\n$HOME \`x\` !! %d`;
      writeFileSync(
        file,
        renderEnvironment(
          {
            apiVersion: 'dapr-mtls/v1',
            kind: 'Environment',
            store: { kind: 'directory', name: '', state: 'settled' },
            variables: { DAPR_TRUST_ANCHORS: hard },
          },
          shell,
        ),
      );
      expect((await runAny(command[0], [...command.slice(1), evaluate(file)])).stdout).toBe(`${hard}\n`);
    },
  );
});

describe('completion', () => {
  test.skipIf(!isThere('bash'))('bash completes commands, flags and values', async () => {
    const script = join(folder, 'completion.bash');
    writeFileSync(script, (await run(['completion', 'bash'])).stdout);
    const complete = async (...words: string[]) => {
      const line = `. '${script}'; COMP_WORDS=(dapr-mtls ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _dapr_mtls; echo "\${COMPREPLY[@]}"`;
      return (await runAny('bash', ['-c', line])).stdout.trim();
    };
    expect(await complete('backup', '')).toBe('create list prune restore');
    expect(await complete('mtls', 'exp')).toBe('expiry explain export');
    expect(await complete('expiry', '--fail')).toBe('--fail-on');
    expect(await complete('inspect', '--format', '')).toBe('text json yaml');
    expect(await complete('expiry', '--format', 'j')).toBe('json junit');
  });

  test.skipIf(!isThere('fish'))('fish completes commands, flags and values', async () => {
    const script = join(folder, 'completion.fish');
    writeFileSync(script, (await run(['completion', 'fish'])).stdout);
    const complete = async (line: string) =>
      (await runAny('fish', ['-c', `source '${script}'; complete -C '${line}'`], { env: { HOME: folder } })).stdout
        .split('\n')
        .map((row) => row.split('\t')[0])
        .filter(Boolean);
    expect(await complete('dapr-mtls backup ')).toEqual(['create', 'list', 'prune', 'restore']);
    expect(await complete('dapr-mtls expiry --fail')).toEqual(['--fail-on']);
  });

  test.skipIf(!isThere('zsh'))('zsh takes the script without complaint', async () => {
    const script = join(folder, '_dapr-mtls');
    writeFileSync(script, (await run(['completion', 'zsh'])).stdout);
    const { status, stderr } = await runAny(
      'zsh',
      ['-f', '-c', `autoload -U compinit; compinit -u -d '${folder}/zcompdump'; . '${script}'; whence -w _dapr_mtls`],
      { env: { HOME: folder } },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
