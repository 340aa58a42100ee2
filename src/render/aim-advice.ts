import { quotePosix } from '../app/shell-quote.ts';

/** By which words a command line has said which cluster or directory it means. */
export interface Aim {
  readonly dir?: string | undefined;
  /** The file of the Configuration beside a directory. */
  readonly config?: string | undefined;
  readonly context?: string | undefined;
  readonly kubeconfig?: string | undefined;
  readonly namespace?: string | undefined;
}

/**
 * Has the commands that a text advises lead to the store that the text is about. Who asked about one
 * cluster with --context and copies `dapr-mtls restart -k` would else restart another; who asked about a
 * directory and copies `dapr-mtls check` would see a cluster, and who has named a Configuration and copies
 * `dapr-mtls config set` would change another file. Commands are found between backticks and
 * behind a colon; one that names its store already stays as it is.
 */
export function aimAdvice(text: string, aim: Aim): string {
  return isEmpty(aim) ? text : aimText(text, aim);
}

function aimText(text: string, aim: Aim): string {
  if (!tools.test(text)) return text;
  return text
    .replace(/(?<=`)(?:dapr-mtls|dapr|kubectl) [^`]*(?=`)/g, (command) => aimCommand(command, aim))
    .replace(/(?<=: )(?:dapr-mtls|dapr|kubectl) [^`\n]*/g, (command) => aimCommand(command, aim));
}

/** The same for every text of a document. What holds no advice is taken over: 10,000 sidecars are described in it. */
export function aimDocument<T>(document: T, aim: Aim): T {
  return isEmpty(aim) ? document : (aimValue(document, aim) as T);
}

function aimValue(value: unknown, aim: Aim): unknown {
  if (typeof value === 'string') return aimText(value, aim);
  if (typeof value !== 'object' || value === null) return value;
  let aimed: Record<string, unknown> | undefined;
  for (const key of Object.keys(value)) {
    const before = (value as Record<string, unknown>)[key];
    const after = aimValue(before, aim);
    if (after === before) continue;
    aimed ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
    aimed[key] = after;
  }
  return aimed ?? value;
}

function isEmpty(aim: Aim): boolean {
  return Object.values(aim).every((word) => word === undefined);
}

const tools = /(?:dapr-mtls|dapr|kubectl) /;

function aimCommand(command: string, { dir, config, context, kubeconfig, namespace }: Aim): string {
  if (/ --(?:context|kubeconfig|contexts|all-contexts|dir|config)\b/.test(command)) return command;
  const cluster = word('--context', context) + word('--kubeconfig', kubeconfig);
  if (command.startsWith('kubectl ')) return command.replace('kubectl', () => `kubectl${cluster}`);
  // Beside --apps it would be the namespace of the applications.
  const namesOne = / (?:-n|--namespace|--apps)\b/.test(command);
  const place = cluster + (namesOne ? '' : word('-n', namespace));
  return command
    .replace(/ (?:-k|--kubernetes)(?![\w-])/g, (flag) => flag + place)
    .replace(
      ofDirectory,
      (words) => words + word('--dir', dir) + (ofConfiguration.test(words) ? word('--config', config) : ''),
    );
}

/** The names of the commands that know directories. */
const ofDirectory =
  /^(?:dapr-mtls|dapr mtls) (?:rotate [a-z]+|backup [a-z]+|config [a-z]+|check|expiry|inspect|export|renew-certificate|repair|restart|env|init|watch|report)\b(?!.* (?:-k|--kubernetes|--help)\b)/s;

/** Those of them that read or change its Configuration; a rotation keeps what it was told at its start. */
const ofConfiguration = / (?:config [a-z]+|check|renew-certificate|env|init|report)$/;

function word(flag: string, value: string | undefined): string {
  return value === undefined ? '' : ` ${flag} ${quotePosix(value)}`;
}
