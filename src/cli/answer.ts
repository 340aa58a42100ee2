import { DaprMtlsError } from '../errors.ts';
import type { Found } from './find-command.ts';
import { renderHelp } from './help.ts';
import { readManifest } from './manifest.ts';

/** Help, and the answer to words that are no command. @throws DaprMtlsError `usage.invalid` */
export function answerWithoutCommand(found: Exclude<Found, { kind: 'command' }>, program: string, home: string): void {
  if (found.kind === 'help') {
    process.stdout.write(renderHelp(readManifest(home), found.topic, program, process.stdout.columns ?? 80));
    return;
  }
  throw new DaprMtlsError('usage.invalid', {
    message: found.words.length === 0 ? 'no command given' : `"${found.words.join(' ')}" is not a command`,
    hint: `See what there is: ${program === 'dapr' ? 'dapr mtls' : program} --help`,
  });
}
