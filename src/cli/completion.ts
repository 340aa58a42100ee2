import { completeBash } from '../render/completion/bash.ts';
import { completeFish } from '../render/completion/fish.ts';
import { completePowershell } from '../render/completion/powershell.ts';
import type { CompletionCommand, CompletionFlag } from '../render/completion/words.ts';
import { completeZsh } from '../render/completion/zsh.ts';
import type { Shell } from '../render/environment.ts';
import type { CommandEntry, FlagEntry, Manifest } from './help.ts';

const renderers: Record<Shell, (commands: readonly CompletionCommand[]) => string> = {
  bash: completeBash,
  zsh: completeZsh,
  fish: completeFish,
  powershell: completePowershell,
};

/** The completion script of a shell, made from the manifest: it knows what the help pages know. */
export function completionScript(manifest: Manifest, shell: Shell): string {
  const commands = Object.values(manifest.commands)
    .filter(({ hidden }) => !hidden)
    .flatMap((entry) => [entry.id, ...(entry.aliases ?? [])].map((id) => ({ id, entry })))
    .filter(({ id }) => id === 'mtls' || id.startsWith('mtls:'))
    .map(({ id, entry }) => describe(id, entry))
    .sort((a, b) => (a.words < b.words ? -1 : 1));
  return renderers[shell](commands);
}

function describe(id: string, { summary = '', flags }: CommandEntry): CompletionCommand {
  const words = id.split(':').slice(1).join(' ');
  return {
    words,
    summary,
    flags: Object.values(flags)
      .filter(({ hidden }) => !hidden)
      .map(describeFlag),
  };
}

function describeFlag(flag: FlagEntry): CompletionFlag {
  return {
    name: flag.name,
    char: flag.char,
    description: (flag.description ?? '').split('. ')[0] ?? '',
    value: valueKindOf(flag),
  };
}

function valueKindOf({ type, options, helpValue }: FlagEntry): CompletionFlag['value'] {
  if (type === 'boolean') return 'none';
  if (options) return options;
  if (helpValue === 'DIR') return 'directory';
  return helpValue === 'FILE' ? 'file' : 'other';
}
