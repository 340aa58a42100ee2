import { type CompletionCommand, type CompletionFlag, nextWords, topics } from './words.ts';

export function completeFish(commands: readonly CompletionCommand[]): string {
  const wordLines = topics(commands).flatMap((topic) =>
    nextWords(commands, topic).map(({ word, summary }) => line(topic, `-a ${quote(word)} -d ${quote(summary)}`)),
  );
  const flagLines = commands.flatMap(({ words, flags }) => flags.map((flag) => line(words, flagOptions(flag))));
  return `# dapr-mtls completion for fish: dapr-mtls completion fish > ~/.config/fish/completions/dapr-mtls.fish
function __dapr_mtls_typed
    set -l typed
    for word in (commandline -opc)[2..-1]
        if test "$word" = mtls; and test -z "$typed"
            continue
        end
        if string match -q -- '-*' $word
            break
        end
        set -a typed $word
    end
    test (string join ' ' $typed) = "$argv[1]"
end
complete -c dapr-mtls -f
${[...wordLines, ...flagLines].join('\n')}
`;
}

function line(typed: string, options: string): string {
  return `complete -c dapr-mtls -n ${quote(`__dapr_mtls_typed "${typed}"`)} ${options}`;
}

function flagOptions({ name, char, description, value }: CompletionFlag): string {
  const parts = [`-l ${name}`, ...(char ? [`-s ${char}`] : []), `-d ${quote(description)}`];
  if (value === 'directory') parts.push("-x -a '(__fish_complete_directories)'");
  else if (value === 'file') parts.push('-r -F');
  else if (value === 'other') parts.push('-x');
  else if (value !== 'none') parts.push(`-x -a ${quote(value.join(' '))}`);
  return parts.join(' ');
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
