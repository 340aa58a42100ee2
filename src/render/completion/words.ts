/** What a shell needs to know to complete our words. */
export interface CompletionCommand {
  /** As typed behind the program's name: `backup list`. */
  readonly words: string;
  readonly summary: string;
  readonly flags: readonly CompletionFlag[];
}

export interface CompletionFlag {
  readonly name: string;
  readonly char: string | undefined;
  readonly description: string;
  readonly value: 'none' | 'file' | 'directory' | 'other' | readonly string[];
}

/** The next words after those typed so far, each once: `backup` has create, list, prune, restore. */
export function nextWords(commands: readonly CompletionCommand[], typed: string): { word: string; summary: string }[] {
  const prefix = typed === '' ? '' : `${typed} `;
  const found = new Map<string, string>();
  for (const { words, summary } of commands) {
    if (!words.startsWith(prefix)) continue;
    const rest = words.slice(prefix.length);
    const [word = ''] = rest.split(' ');
    if (word !== '' && !found.has(word)) found.set(word, rest === word ? summary : `${word} ...`);
  }
  return [...found].map(([word, summary]) => ({ word, summary }));
}

/** The words after which others follow: the program itself and its topics. */
export function topics(commands: readonly CompletionCommand[]): string[] {
  const parents = commands.map(({ words }) => words.split(' ').slice(0, -1).join(' '));
  return [...new Set(['', ...parents])];
}
