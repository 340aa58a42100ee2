import { DaprMtlsError } from '../errors.ts';
import type { Found } from './find-command.ts';
import { renderHelp } from './help.ts';
import { readManifest } from './manifest.ts';
import { openQuickOutlet } from './outlet.ts';

/** Help, and the answer to words that are no command. @throws DaprMtlsError `usage.invalid` */
export function answerWithoutCommand(found: Exclude<Found, { kind: 'command' }>, program: string, home: string): void {
  if (found.kind === 'help') {
    const { columns, write } = openQuickOutlet(1);
    write(renderHelp(readManifest(home), found.topic, program, columns));
    return;
  }
  const ours = program === 'dapr' ? 'dapr mtls' : program;
  const topic = withoutFlags(found.words);
  const behind = listBehind(topic, home);
  const name = topic.slice(1).join(' ');
  if (name !== '' && behind.length > 0) {
    throw new DaprMtlsError('usage.invalid', {
      message: `${name} needs a command behind it: ${behind.join(', ')}`,
      hint: `See what each does: ${ours} ${name} --help`,
    });
  }
  throw new DaprMtlsError('usage.invalid', {
    message: found.words.length === 0 ? 'no command given' : `"${found.words.join(' ')}" is not a command`,
    hint: `See what there is: ${ours} --help`,
  });
}

function withoutFlags(words: readonly string[]): readonly string[] {
  const firstFlag = words.findIndex((word) => word.startsWith('-'));
  return firstFlag < 0 ? words : words.slice(0, firstFlag);
}

/** The commands of a topic, as `run` and `plan` are of `mtls rotate`. */
function listBehind(topic: readonly string[], home: string): string[] {
  const prefix = `${topic.join(':')}:`;
  const ids = Object.keys(readManifest(home).commands);
  return ids.flatMap((id) => (id.startsWith(prefix) ? [id.slice(prefix.length).replaceAll(':', ' ')] : []));
}
