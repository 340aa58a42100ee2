import { type CompletionCommand, type CompletionFlag, nextWords, topics } from './words.ts';

export function completeBash(commands: readonly CompletionCommand[]): string {
  const wordCases = topics(commands).map(
    (topic) =>
      `    '${topic}') words='${nextWords(commands, topic)
        .map(({ word }) => word)
        .join(' ')}' ;;`,
  );
  const flagCases = commands.map(
    ({ words, flags }) => `    '${words}') words='${flags.flatMap(spellings).join(' ')}' ;;`,
  );
  return `# dapr-mtls completion for bash: source <(dapr-mtls completion bash)
_dapr_mtls() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} typed='' words='' index
  for ((index = 1; index < COMP_CWORD; index++)); do
    case \${COMP_WORDS[index]} in
      mtls) [ -z "$typed" ] && continue ;;
      -*) break ;;
    esac
    typed+="\${typed:+ }\${COMP_WORDS[index]}"
  done
  case "$typed $previous" in
${valueCases(commands).join('\n')}
  esac
  if [[ $current == -* ]]; then
    case $typed in
${flagCases.join('\n')}
    esac
  else
    case $typed in
${wordCases.join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _dapr_mtls dapr-mtls
`;
}

function spellings({ name, char }: CompletionFlag): string[] {
  return char ? [`--${name}`, `-${char}`] : [`--${name}`];
}

/** What stands behind a flag: once for all commands where they agree, else for each. */
function valueCases(commands: readonly CompletionCommand[]): string[] {
  const uses = commands.flatMap(({ words, flags }) =>
    flags.map((flag) => ({ words, flag, reply: replyTo(flag.value) })),
  );
  const names = [...new Set(uses.map(({ flag }) => flag.name))];
  return names.flatMap((name) => {
    const ofName = uses.filter(({ flag }) => flag.name === name);
    const replies = new Set(ofName.map(({ flag, reply }) => `${spellings(flag)} ${reply}`));
    const [first] = ofName;
    if (replies.size === 1 && first) return valueCase('*', first);
    return ofName.flatMap((use) => valueCase(`'${use.words}'`, use));
  });
}

function valueCase(
  typed: string,
  { flag, reply }: { readonly flag: CompletionFlag; readonly reply: string | undefined },
): string[] {
  if (reply === undefined) return [];
  const patterns = spellings(flag).map((spelling) => `${typed}' ${spelling}'`);
  return [`    ${patterns.join(' | ')}) ${reply}; return ;;`];
}

function replyTo(value: CompletionFlag['value']): string | undefined {
  if (value === 'none') return undefined;
  if (value === 'directory') return 'COMPREPLY=($(compgen -d -- "$current"))';
  if (value === 'file') return 'COMPREPLY=($(compgen -f -- "$current"))';
  if (value === 'other') return 'COMPREPLY=()';
  return `COMPREPLY=($(compgen -W '${value.join(' ')}' -- "$current"))`;
}
