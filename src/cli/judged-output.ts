import * as Flags from '@oclif/core/flags';
import type { ClustersReport } from '../app/clusters/report.ts';
import type { JudgedReport } from '../app/observation/observe.ts';
import { defaultWarnBeforeMs } from '../app/report.ts';
import { type Aim, aimAdvice, aimDocument } from '../render/aim-advice.ts';
import { outputFlags } from './flags.ts';
import { fileOf, outputFileFlag, writeOutput } from './output-file.ts';
import type { Streams, Terminal } from './streams.ts';
import { mark } from './timings.ts';

export const machineFormats = ['prometheus', 'nagios', 'github', 'junit', 'sarif'] as const;
export type MachineFormat = (typeof machineFormats)[number];

/** For commands that judge: formats of other programs, and a file that is replaced as a whole. */
export const judgedFlags = {
  format: Flags.string({
    description:
      "How the result is written. nagios keeps a plugin's own exit codes (0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN) instead of those below.",
    options: [...(outputFlags.format.options ?? []), ...machineFormats],
    default: 'text',
    helpGroup: 'OUTPUT',
  }),
  output: outputFileFlag(
    'Write the result into this file instead, replaced as a whole: a reader never sees half of it. - is standard output.',
  ),
};

interface JudgedOptions<Report> {
  readonly streams: Streams;
  readonly render: (report: Report, terminal: Terminal) => string;
  /** What the report leads to in our own exit codes. */
  readonly exitCode: number;
}

/**
 * Writes a judged report in the format that was asked for, to standard output or into a file.
 * @returns the exit code
 * @throws DaprMtlsError `file.io`, `store.permission`, `store.full` where the file cannot be written
 */
export async function emitJudged<Report extends JudgedReport | ClustersReport>(
  report: Report,
  flags: { readonly format: string; readonly output: string | undefined; readonly 'warn-before'?: number | undefined },
  { streams, render, exitCode }: JudgedOptions<Report>,
): Promise<number> {
  const { format, output } = flags;
  const { aim } = streams;
  const terminal = fileOf(output) === undefined ? streams.outTerminal : { isTty: false, columns: 80, colour: false };
  const written: { text: string; exitCode?: number } = isMachineFormat(format)
    ? await (await import('./machine-format.ts')).describeForMachine(
        report,
        format,
        flags['warn-before'] ?? defaultWarnBeforeMs,
        aim,
      )
    : { text: await renderDocument(report, format, (document) => aimAdvice(render(document, terminal), aim), aim) };
  await writeOutput(written.text, output, streams);
  mark('rendered');
  return written.exitCode ?? exitCode;
}

/** As JSON or YAML where that was asked for, else as `render` has it; its advice leads to where the report is about. */
export async function renderDocument<Report extends object>(
  report: Report,
  format: string,
  render: (report: Report) => string,
  aim: Aim,
): Promise<string> {
  const aimed = aimDocument(report, aim);
  if (format === 'json') return `${JSON.stringify(aimed, undefined, 2)}\n`;
  return format === 'yaml' ? (await import('../render/yaml.ts')).renderYaml(aimed) : render(aimed);
}

function isMachineFormat(format: string): format is MachineFormat {
  return (machineFormats as readonly string[]).includes(format);
}
