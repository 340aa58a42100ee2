import * as Flags from '@oclif/core/flags';
import type { TrustReport } from '../app/trust-report/report.ts';
import { DaprMtlsError } from '../errors.ts';
import type { Aim } from '../render/aim-advice.ts';
import { fileOf, outputFileFlag, writeOutput } from './output-file.ts';
import type { Streams } from './streams.ts';

export const reportFlags = {
  format: Flags.string({
    description: 'html is the page; json and yaml are the document that it is made from.',
    options: ['html', 'json', 'yaml'],
    default: 'html',
    helpGroup: 'OUTPUT',
  }),
  output: outputFileFlag(
    'Write into this file, replaced as a whole: a reader never sees half of it. - is standard output, which is meant without it, too.',
  ),
};

/** @throws DaprMtlsError `usage.invalid` where the page would scroll past somebody who sits at a terminal */
export function assertPageHasPlace(
  { format, output }: { readonly format: string; readonly output: string | undefined },
  { outTerminal }: Streams,
): void {
  if (format !== 'html' || output !== undefined || !outTerminal.isTty) return;
  throw new DaprMtlsError('usage.invalid', {
    message: 'a page of HTML is nothing for a terminal',
    hint: 'Name a file with -o, for example -o trust.html; -o - prints it all the same, and --format json the document.',
  });
}

/**
 * By which words commands are led to the place of a report. It is named in full also where it was the current
 * context or a relative path: whoever reads the page is elsewhere.
 */
export function aimOf({ sites }: Pick<TrustReport, 'sites'>, aim: Aim): Aim {
  const [only] = sites.length === 1 ? sites : [];
  if (only?.kind === 'directory') return { ...aim, dir: only.name };
  return { ...aim, context: aim.context ?? only?.cluster?.context ?? undefined };
}

/** @throws DaprMtlsError `file.io`, `store.permission`, `store.full` */
export async function writeReport(text: string, output: string | undefined, streams: Streams): Promise<void> {
  await writeOutput(text, output, streams);
  const file = fileOf(output);
  if (file !== undefined) streams.note(`Written: ${file}\n`);
}
