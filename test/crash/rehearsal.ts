import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { FoundFiles } from '../../src/store/port.ts';
import { temporaryDirectory } from '../support/directory.ts';
import type { Outcome, Program } from '../support/program.ts';
import { openTrustDirectory } from '../support/trust-directory.ts';
import { expectAccepted, expectNothingLeft, isThere, look, outline, type Sight } from './aftermath.ts';
import type { ChangingCommand } from './commands.ts';
import { type Call, type Tampering, trace } from './trace.ts';

/** A command that was traced once to its end, undisturbed: what it writes, and what it leads to. */
export interface Rehearsal {
  readonly command: ChangingCommand;
  /** What the command finds; copied for each run. */
  readonly template: string;
  readonly calls: readonly Call[];
  readonly before: FoundFiles;
  /** The outline of what it leads to, seen from what was there before. */
  readonly outcome: string;
}

export async function rehearse(program: Program, command: ChangingCommand): Promise<Rehearsal> {
  const template = temporaryDirectory('template');
  await command.prepare(template);
  const before = filesOf(template);
  const folder = copyOf(template);
  const { outcome, calls } = await trace([...program.command, ...command.args(folder)], folder, {
    cwd: folder,
    threads: 'all',
  });
  expect(outcome.exitCode, outcome.stderr).toBe(0);
  expect(calls.length).toBeGreaterThan(0);
  // Calls are counted in one thread; were there others that write, they would be passed over.
  expect(new Set(calls.map(({ thread }) => thread)).size).toBe(1);
  expectNothingLeft(folder, command.keyFiles);
  return { command, template, calls, before, outcome: outline(filesOf(folder), before) };
}

/** Runs the command again and disturbs it at the one call. The run is proven to have met it. */
export async function disturb(
  program: Pick<Program, 'command'>,
  { command, template, calls }: Pick<Rehearsal, 'command' | 'template' | 'calls'>,
  call: Call,
  by: Tampering['by'],
): Promise<{ folder: string; outcome: Outcome }> {
  const index = calls.indexOf(call);
  const met: string[] = [];
  // Node wakes its threads up by writes, now one more, now one fewer, so the number may be missed:
  // it is drawn from those seen so far, which meets a number as often as runs have it.
  const seen = [call.nth];
  for (let attempt = 0; attempt < 60; attempt++) {
    const nth = seen[Math.floor(Math.random() * seen.length)] ?? call.nth;
    const folder = copyOf(template);
    const run = await trace([...program.command, ...command.args(folder)], folder, {
      cwd: folder,
      tampering: { call: { name: call.name, nth }, by },
      threads: 'main',
    });
    const disturbed = run.calls.findIndex(({ result }) => result === undefined || result.includes('INJECTED'));
    if (disturbed === index && run.calls[index]?.what === call.what) return { folder, outcome: run.outcome };
    met.push(`${nth}: ${run.calls[disturbed]?.what ?? 'nothing'}`);
    const now = run.calls[index];
    // A run that was disturbed before the call tells nothing but that the number was too low.
    seen.push(now?.what === call.what ? now.nth : nth + 1);
  }
  throw new Error(`call ${index} (${call.what}) was not met again, but ${met.join('; ')}`);
}

/** The whole old bundle or the whole new one, and never a mixture. */
export function expectWhole({ before, outcome }: Rehearsal, { stored: { files, state } }: Sight): void {
  const isOld = (['anchors', 'issuerChain', 'issuerKey'] as const).every((part) =>
    before[part] ? files[part]?.equals(before[part]) : files[part] === undefined,
  );
  if (isOld) {
    expect(state).toBe('settled');
    return;
  }
  expect(['settled', 'interrupted']).toContain(state);
  expect(outline(files, before)).toBe(outcome);
  expectAccepted(files);
}

/** The same command once more finishes what was begun, and leaves nothing of it. */
export async function finish(program: Program, { command }: Rehearsal, folder: string, seen: Sight): Promise<void> {
  const { exitCode, stderr } = await program.run(again(command, folder), { cwd: folder });
  expect(exitCode, stderr).toBe(0);
  const files = filesOf(folder);
  if (seen.stored.state === 'interrupted') expect(files).toEqual(seen.stored.files);
  expectAccepted(files);
  const { stored, findings } = await look(folder);
  expect(stored.state).toBe('settled');
  expect(isThere(stored)).toBe(true);
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  expectNothingLeft(folder, command.keyFiles);
}

/** A root key is never overwritten: who has it already must not ask for it again. */
function again(command: ChangingCommand, folder: string): readonly string[] {
  const args = command.args(folder);
  const flag = args.indexOf('--save-root-key');
  if (flag < 0 || !existsSync(join(folder, args[flag + 1] ?? ''))) return args;
  return args.toSpliced(flag, 2);
}

export async function inParallel<T>(items: readonly T[], workers: number, work: (item: T) => Promise<void>) {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: workers }, async () => {
      for (const item of rest) await work(item);
    }),
  );
}

function filesOf(folder: string): FoundFiles {
  return openTrustDirectory(join(folder, 'certs')).files();
}

/** With owners, rights and links. */
export function copyOf(template: string): string {
  const folder = temporaryDirectory('run');
  const { status, stderr } = spawnSync('cp', ['-a', `${template}/.`, folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return folder;
}
