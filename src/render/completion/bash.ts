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
  case $previous in
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

function valueCases(commands: readonly CompletionCommand[]): string[] {
  const flags = new Map(commands.flatMap((command) => command.flags).map((flag) => [flag.name, flag]));
  return [...flags.values()].flatMap((flag) => {
    const reply = replyTo(flag.value);
    return reply ? [`    ${spellings(flag).join(' | ')}) ${reply}; return ;;`] : [];
  });
}

function replyTo(value: CompletionFlag['value']): string | undefined {
  if (value === 'none') return undefined;
  if (value === 'directory') return 'COMPREPLY=($(compgen -d -- "$current"))';
  if (value === 'file') return 'COMPREPLY=($(compgen -f -- "$current"))';
  if (value === 'other') return 'COMPREPLY=()';
  return `COMPREPLY=($(compgen -W '${value.join(' ')}' -- "$current"))`;
}
