import { errorTable } from '../errors.ts';
import { wrap } from '../render/text.ts';

/** What the build writes down of the commands (oclif's manifest, ids joined by a colon). */
export interface Manifest {
  readonly commands: Readonly<Record<string, CommandEntry>>;
}

export interface CommandEntry {
  readonly id: string;
  readonly summary?: string;
  readonly description?: string;
  readonly aliases?: readonly string[];
  readonly hidden?: boolean;
  readonly examples?: readonly { readonly description: string; readonly command: string }[];
  readonly exitCodes?: readonly number[];
  readonly args: Readonly<
    Record<string, { readonly name: string; readonly description?: string; readonly required?: boolean }>
  >;
  readonly flags: Readonly<Record<string, FlagEntry>>;
}

export interface FlagEntry {
  readonly name: string;
  readonly char?: string;
  readonly type: 'boolean' | 'option';
  readonly description?: string;
  readonly options?: readonly string[];
  readonly default?: unknown;
  readonly helpGroup?: string;
  readonly helpValue?: string;
  readonly hidden?: boolean;
  readonly required?: boolean;
  readonly allowNo?: boolean;
}

const minimumWidth = 40;

/** The help page of a command, or the list of commands below a topic. The words are those that were typed. */
export function renderHelp(manifest: Manifest, topic: string, program: string, columns: number): string {
  const width = Math.max(minimumWidth, Math.min(columns, 100));
  const entry = manifest.commands[topic.replaceAll(' ', ':')];
  const isTopic = Object.values(manifest.commands).some(({ id }) => id.startsWith(`${topic.replaceAll(' ', ':')}:`));
  const page = entry && !isTopic ? commandPage(entry, program, width) : topicPage(manifest, topic, program, width);
  return `${page.join('\n')}\n`;
}

function commandPage(entry: CommandEntry, program: string, width: number): string[] {
  const args = Object.values(entry.args);
  const usage = [
    typedWords(entry.id, program),
    ...args.map(({ name, required }) => (required ? name.toUpperCase() : `[${name.toUpperCase()}]`)),
    '[FLAGS]',
  ];
  return [
    ...wrap(entry.summary ?? '', width),
    '',
    'USAGE',
    `  ${usage.join(' ')}`,
    ...aliasLines(entry, program),
    ...commandSections(entry, program, width),
  ];
}

function commandSections(entry: CommandEntry, program: string, width: number): string[] {
  const args = Object.values(entry.args);
  return [
    ...section('DESCRIPTION', wrapParagraphs(entry.description ?? '', width - 2)),
    ...section(
      'ARGUMENTS',
      table(
        args.map(({ name, description = '' }) => [name.toUpperCase(), description]),
        width,
      ),
    ),
    ...flagSections(
      Object.values(entry.flags).filter(({ hidden }) => !hidden),
      width,
    ),
    ...section('EXIT CODES', table(exitCodeRows(entry.exitCodes ?? []), width)),
    ...section('EXAMPLES', exampleLines(entry, program, width)),
  ];
}

/**
 * How a command is typed under each of the two names; `status` and `init -k` stand behind `dapr` by themselves.
 * @public scripts/docs.js heads its pages with it
 */
export function typedWords(id: string, program: string): string {
  if (id === 'init') return `${program} init -k`;
  const words = id.split(':').join(' ');
  if (program === 'dapr-mtls' || id === 'mtls:status') return `${program} ${words.replace(/^mtls ?/, '')}`.trim();
  return `${program} ${words}`;
}

/** The other names; without the word `mtls` some of them are the first one again. */
function aliasLines({ id, aliases = [] }: CommandEntry, program: string): string[] {
  const others = aliases
    .map((alias) => typedWords(alias, program))
    .filter((words) => words !== typedWords(id, program));
  return section('ALSO', others);
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => (line === '' ? '' : `  ${line}`))];
}

function flagSections(flags: readonly FlagEntry[], width: number): string[] {
  const groups = new Map<string, FlagEntry[]>();
  for (const flag of flags) {
    const group = flag.helpGroup ?? 'FLAGS';
    groups.set(group, [...(groups.get(group) ?? []), flag]);
  }
  const order = [...groups.keys()].sort((a, b) => rankOf(a) - rankOf(b));
  return order.flatMap((group) =>
    section(
      group,
      table(
        (groups.get(group) ?? []).map((flag) => [flagWords(flag), flagText(flag)]),
        width,
      ),
    ),
  );
}

const groupOrder = [
  'FLAGS',
  'APPLICATIONS',
  'CHART',
  'CERTIFICATES',
  'KEYS',
  'SAFETY',
  'OTHER OWNERS',
  'CLUSTER',
  'TRUST STORE',
  'OUTPUT',
];

/** What is special to the command first, what all share last. */
function rankOf(group: string): number {
  return groupOrder.indexOf(group);
}

function flagWords({ name, char, type, helpValue, options }: FlagEntry): string {
  const value = type === 'option' ? ` ${helpValue ?? (options ? options.join('|') : 'VALUE')}` : '';
  return `${char ? `-${char}, ` : '    '}--${name}${value}`;
}

function flagText({ description = '', default: fallback, type, allowNo, name }: FlagEntry): string {
  const remark = type === 'option' && fallback !== undefined && String(fallback) !== '' ? ` (default ${fallback})` : '';
  return `${description}${remark}${allowNo ? ` --${name}=false turns it off.` : ''}`;
}

const commonExitCodes = [0, 1, 2];
const exitMeanings: Record<number, string> = {
  0: 'Done.',
  1: 'A defect of this program.',
  2: 'The command line was not understood, or names no store.',
  3: 'The cluster could not be reached, or refused.',
  4: 'Trust material was refused or could not be read.',
  5: 'A file or the store could not be read or written, or is not there.',
  6: 'Refused for safety: a lock, another owner, or somebody else changed the store.',
  7: 'Timed out, or a program that is needed is missing.',
  10: 'There are findings (see --fail-on).',
};

function exitCodeRows(codes: readonly number[]): string[][] {
  return [...commonExitCodes, ...codes].map((code) => [String(code), exitMeanings[code] ?? meaningFromErrors(code)]);
}

function meaningFromErrors(code: number): string {
  return Object.values(errorTable).find(({ exit }) => exit === code)?.meaning ?? '';
}

function exampleLines({ id, examples = [] }: CommandEntry, program: string, width: number): string[] {
  const prefix = typedWords(id, program).startsWith('dapr mtls') ? 'dapr mtls' : program;
  return examples.flatMap(({ description, command }, index) => [
    ...(index > 0 ? [''] : []),
    ...wrap(description, width - 2),
    `  $ ${command.replaceAll('<%= bin %>', prefix)}`,
  ]);
}

/** The commands below a topic; a topic that does something by itself tells of that, too. */
function topicPage(manifest: Manifest, topic: string, program: string, width: number): string[] {
  const prefix = topic.replaceAll(' ', ':');
  const own = manifest.commands[prefix];
  const entries = Object.values(manifest.commands)
    .filter(({ id, hidden }) => !hidden && (id.startsWith(`${prefix}:`) || (topic === 'mtls' && id === 'init')))
    .sort((a, b) => (typedWords(a.id, program) < typedWords(b.id, program) ? -1 : 1));
  const words = typedWords(topic, program);
  return [
    ...wrap("Make, look at, judge and renew the certificates of Dapr's root of trust.", width),
    '',
    'USAGE',
    `  ${words} COMMAND [FLAGS]`,
    ...(own ? [`  ${words} -k [FLAGS]`] : []),
    ...section(
      'COMMANDS',
      table(
        [...(own ? [['-k', own.summary ?? '']] : []), ...entries.map((entry) => commandRow(entry, program))],
        width,
      ),
    ),
    ...(own ? commandSections(own, program, width) : []),
    '',
    `${words} COMMAND --help tells more of each.`,
  ];
}

function commandRow({ id, summary = '' }: CommandEntry, program: string): string[] {
  return [typedWords(id, program).slice(program.length + 1), summary];
}

function table(rows: readonly (readonly string[])[], width: number): string[] {
  const longest = Math.max(0, ...rows.map(([first = '']) => first.length));
  const indent = Math.min(longest, 26) + 2;
  return rows.flatMap(([first = '', second = '']) => {
    const lines = wrap(second, Math.max(24, width - 2 - indent));
    const head = first.length > indent - 2 ? [first] : [];
    const rest = head.length > 0 ? lines : lines.slice(1);
    const start = head.length > 0 ? head : [`${first.padEnd(indent)}${lines[0] ?? ''}`.trimEnd()];
    return [...start, ...rest.map((line) => `${' '.repeat(indent)}${line}`)];
  });
}

function wrapParagraphs(text: string, width: number): string[] {
  if (text === '') return [];
  return text.split(/\n\s*\n/).flatMap((paragraph, index) => [...(index > 0 ? [''] : []), ...wrap(paragraph, width)]);
}
