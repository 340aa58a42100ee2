/** What a command line asks for, before anything of a command is loaded. */
export type Found =
  | { readonly kind: 'command'; readonly id: string; readonly argv: readonly string[] }
  | { readonly kind: 'help'; readonly topic: string }
  | { readonly kind: 'unknown'; readonly words: readonly string[] };

/**
 * Finds the longest command that the words begin with. For `dapr-mtls` the word `mtls` may be left
 * out: its own name says it.
 */
export function findCommand(
  program: 'dapr' | 'dapr-mtls',
  argv: readonly string[],
  ids: readonly string[],
  aliases: Readonly<Record<string, string>>,
): Found {
  const end = argv.indexOf('--');
  const before = end < 0 ? argv : argv.slice(0, end);
  const words = argv[0] === 'help' ? argv.slice(1) : argv;
  const named = program === 'dapr-mtls' && words[0] !== 'mtls' ? ['mtls', ...words] : [...words];
  const match = words.length > 0 ? longestMatch(named, ids, aliases) : undefined;
  const asksForHelp = argv[0] === 'help' || before.includes('--help') || before.includes('-h');
  const id = match?.id === 'mtls init' && meansCluster(before) ? 'init' : match?.id;
  if (id && asksForHelp) return { kind: 'help', topic: id };
  if (match && id) return { kind: 'command', id, argv: named.slice(match.length) };
  const plain = leadingWords(named);
  const topic = plain.join(' ');
  const isTopic = topic === 'mtls' || ids.some((id) => id.startsWith(`${topic} `));
  if (asksForHelp || (isTopic && plain.length === named.length))
    return { kind: 'help', topic: isTopic ? topic : 'mtls' };
  return { kind: 'unknown', words: named };
}

/** `init` makes a directory, and with -k or the way into a cluster it is another command. */
function meansCluster(words: readonly string[]): boolean {
  return words.some(
    (word) =>
      (/^(-[hqs]*k|--kubernetes(=|$))/.test(word) && !/=(0|f|false)$/i.test(word)) ||
      /^--(context|kubeconfig)(=|$)/.test(word),
  );
}

function longestMatch(words: readonly string[], ids: readonly string[], aliases: Readonly<Record<string, string>>) {
  const plain = leadingWords(words);
  for (let length = Math.min(plain.length, 3); length > 0; length--) {
    const name = plain.slice(0, length).join(' ');
    const id = aliases[name] ?? (ids.includes(name) ? name : undefined);
    // `mtls` is a command and a topic: a word behind it that names no command is not its argument.
    const isTopic = length < plain.length && ids.some((other) => other.startsWith(`${name} `));
    if (id && !isTopic) return { id, length };
  }
  return undefined;
}

function leadingWords(words: readonly string[]): readonly string[] {
  const firstFlag = words.findIndex((word) => word.startsWith('-'));
  return firstFlag < 0 ? words : words.slice(0, firstFlag);
}
