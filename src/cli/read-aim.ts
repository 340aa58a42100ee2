import type { Aim } from '../render/aim-advice.ts';

/**
 * Which store a command line means, by the words alone: a line that cannot be parsed is answered with
 * advice, too.
 */
export function readAim(argv: readonly string[]): Aim {
  const end = argv.indexOf('--');
  const words = end < 0 ? argv : argv.slice(0, end);
  return {
    dir: lastOf(words, '--dir'),
    config: lastOf(words, '--config'),
    context: lastOf(words, '--context'),
    kubeconfig: lastOf(words, '--kubeconfig'),
    namespace: lastOf(words, '-n') ?? lastOf(words, '--namespace'),
  };
}

/** As the last one that stands there. */
function lastOf(words: readonly string[], flag: string): string | undefined {
  const index = words.findLastIndex((word) => word === flag || word.startsWith(`${flag}=`));
  return words[index] === flag ? words[index + 1] : words[index]?.slice(flag.length + 1);
}
