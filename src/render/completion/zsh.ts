import { type CompletionCommand, type CompletionFlag, nextWords, topics } from './words.ts';

export function completeZsh(commands: readonly CompletionCommand[]): string {
  const wordCases = topics(commands).map(
    (topic) =>
      `    '${topic}') entries=(${nextWords(commands, topic)
        .map(({ word, summary }) => quote(`${word}:${summary}`))
        .join(' ')}) ;;`,
  );
  const flagCases = commands.map(
    ({ words, flags }) =>
      `    '${words}') _arguments ${flags.flatMap(specs).map(quote).join(' ')} '*: :_files'; return ;;`,
  );
  return `#compdef dapr-mtls
# dapr-mtls completion for zsh: dapr-mtls completion zsh > "\${fpath[1]}/_dapr-mtls", or source it after compinit
_dapr_mtls() {
  local typed='' word
  local -a entries
  for word in "\${words[@]:1:$((CURRENT - 2))}"; do
    [[ $word == mtls && -z $typed ]] && continue
    [[ $word == -* ]] && break
    typed+="\${typed:+ }$word"
  done
  case $typed in
${wordCases.join('\n')}
${flagCases.join('\n')}
  esac
  _describe 'command' entries
}
if [ "$funcstack[1]" = "_dapr_mtls" ]; then _dapr_mtls "$@"; else compdef _dapr_mtls dapr-mtls; fi
`;
}

function specs({ name, char, description, value }: CompletionFlag): string[] {
  const text = `[${description.replaceAll('[', '(').replaceAll(']', ')').replaceAll(':', ' -')}]${actionFor(value)}`;
  return [`--${name}${text}`, ...(char ? [`-${char}${text}`] : [])];
}

function actionFor(value: CompletionFlag['value']): string {
  if (value === 'none') return '';
  if (value === 'directory') return ':directory:_files -/';
  if (value === 'file') return ':file:_files';
  return value === 'other' ? ':value: ' : `:value:(${value.join(' ')})`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
