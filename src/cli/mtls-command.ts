import { Command } from '@oclif/core/command';
import type { Input, ParserOutput } from '@oclif/core/interfaces';
import type { Document } from '../app/report.ts';
import { quotePosix } from '../app/shell-quote.ts';
import { DaprMtlsError } from '../errors.ts';
import { aimAdvice, aimDocument } from '../render/aim-advice.ts';
import { officialFlags, outputFlags } from './flags.ts';
import type { LeanConfig } from './lean-config.ts';
import { readAim } from './read-aim.ts';
import { openStreams, type Streams, type Terminal } from './streams.ts';
import { mark } from './timings.ts';

export type Renderer<Report> = (report: Report, terminal: Terminal) => string;

/**
 * What every command shares: output in the format asked for, and the flags for it. Errors are not
 * caught here but where the program ends (main.ts), so that there is one place that prints them.
 */
export abstract class MtlsCommand extends Command {
  static override baseFlags = { ...outputFlags, ...officialFlags };
  /** Exit codes beside 0, 1 and 2 that the command's help explains. */
  static exitCodes: readonly number[] = [];
  /** For commands that look, tell and end: a slow reader may keep them waiting. */
  static isQuick = false;

  #streams: Streams | undefined;

  protected get env(): NodeJS.ProcessEnv {
    return process.env;
  }

  protected get streams(): Streams {
    const isQuiet = this.argv.includes('--quiet') || this.argv.includes('-q');
    const { isQuick } = this.constructor as typeof MtlsCommand;
    this.#streams ??= openStreams(this.env, isQuiet, readAim(this.argv), isQuick);
    return this.#streams;
  }

  /** Where the package lies. */
  protected get home(): string {
    return (this.config as unknown as LeanConfig).home;
  }

  /** The command line as people typed it. */
  protected get typed(): string {
    const { bin } = this.config;
    const id = bin === 'dapr-mtls' ? this.id?.replace(/^mtls /, '') : this.id;
    return [bin, id, ...this.argv.map(quotePosix)].join(' ');
  }

  protected now(): Date {
    return new Date();
  }

  /** Writes the one document of this run to standard output. */
  protected async emit<Report extends Document<string>>(
    report: Report,
    format: string,
    render: Renderer<Report>,
  ): Promise<void> {
    const { aim, outTerminal } = this.streams;
    const aimed = aimDocument(report, aim);
    if (format === 'json') this.streams.out(`${JSON.stringify(aimed, undefined, 2)}\n`);
    else if (format === 'yaml') this.streams.out((await import('../render/yaml.ts')).renderYaml(aimed));
    else this.streams.out(aimAdvice(render(aimed, outTerminal), aim));
    mark('rendered');
  }

  /** Booleans are written as pflag takes them: `--enable-mtls=false`, `-k=true`. */
  protected override async parse<F extends Parsed, B extends Parsed, A extends Parsed>(
    options?: Input<F, B, A>,
    argv: string[] = this.argv,
  ): Promise<ParserOutput<F, B, A>> {
    const flags: Record<string, FlagShape> = { ...options?.baseFlags, ...options?.flags };
    const parsed = await super.parse(options, normalizeBooleans(argv, flags));
    mark('parsed');
    for (const [name, mend] of Object.entries(officialMends)) {
      const isOwn = options?.flags !== undefined && name in options.flags;
      if (!isOwn && parsed.flags[name]) this.streams.note(`--${name} has no effect here: ${mend}\n`);
    }
    return parsed;
  }

  /** oclif's looks for deprecated names in the list of all commands, of which there are none here. */
  protected override async init(): Promise<void> {}

  /** oclif's own sequence: init, run, catch, finally. */
  async execute(): Promise<void> {
    await this._run();
  }

  protected override async catch(error: Error): Promise<never> {
    throw error;
  }
}

const officialMends: Record<keyof typeof officialFlags, string> = {
  'log-as-json': '--format json writes the result as a document',
  'runtime-path': 'a directory is named with --dir DIR',
};

// oclif's own parameter types are not exported; this is their shape.
// biome-ignore lint/suspicious/noExplicitAny: the values are typed by the flags themselves
type Parsed = { [name: string]: any };

interface FlagShape {
  readonly type?: string;
  readonly char?: string;
  readonly allowNo?: boolean;
}

function normalizeBooleans(argv: readonly string[], flags: Readonly<Record<string, FlagShape>>): string[] {
  const end = argv.indexOf('--');
  return argv.flatMap((word, index) => {
    const match = /^(?:--([a-z][a-z-]*)|-([a-zA-Z]))=(.*)$/.exec(word);
    if (!match || (end >= 0 && index > end)) return [word];
    const [, long, short, value = ''] = match;
    const found = Object.entries(flags).find(
      ([name, flag]) => name === long || (short !== undefined && flag.char === short),
    );
    if (found?.[1].type !== 'boolean') return [word];
    const [name, flag] = found;
    const truth = truths[value.toLowerCase()];
    if (truth === undefined) {
      throw new DaprMtlsError('usage.invalid', {
        message: `--${name}=${value} is neither true nor false`,
        hint: `Write --${name}, --${name}=true or --${name}=false.`,
      });
    }
    if (truth) return [`--${name}`];
    return flag.allowNo ? [`--no-${name}`] : [];
  });
}

/** What Go's strconv.ParseBool takes. */
const truths: Record<string, boolean> = { true: true, t: true, '1': true, false: false, f: false, '0': false };
