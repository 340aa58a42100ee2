import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { listKnownLines, startExplaining } from '../../app/explain/explain.ts';
import { quotePosix } from '../../app/shell-quote.ts';
import { readLogLines } from '../../cli/log-source.ts';
import { MtlsCommand } from '../../cli/mtls-command.ts';
import { renderExplanation } from '../../render/explanation.ts';

export default class Explain extends MtlsCommand {
  static override summary = 'What a line of a log of Sentry, daprd or Helm means, how to check it and how to mend it.';
  static override description =
    `Knows the lines about trust that Sentry, the sidecars, the other services, the API server and Helm write, in Dapr's two log shapes or
bare. A log on standard input is read to its end; each cause is told once, with its first line. Needs no cluster and no network.`;
  static override examples = [
    {
      description: 'One line',
      command: '<%= bin %> explain "x509: certificate signed by unknown authority"',
    },
    {
      description: 'A whole log',
      command: 'kubectl logs deploy/checkout -c daprd | <%= bin %> explain',
    },
    {
      description: 'The commands for a bundle in a directory',
      command: 'journalctl -u dapr-sentry | <%= bin %> explain --dir certs',
    },
    { description: 'All lines that are known', command: '<%= bin %> explain --list' },
  ];
  static override args = {
    line: Args.string({ description: 'The line, in quotes; without it, or as -, standard input.', ignoreStdin: true }),
  };
  static override flags = {
    dir: Flags.directory({ description: 'Name this directory, not the cluster, in the commands.', helpValue: 'DIR' }),
    list: Flags.boolean({ description: 'Show every line that is known, with an example.' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Explain);
    const directory = flags.dir === undefined ? undefined : quotePosix(flags.dir);
    if (flags.list) return this.emit(listKnownLines(directory), flags.format, renderExplanation);
    const explaining = startExplaining(directory);
    for await (const line of readLogLines(args.line)) explaining.take(line);
    await this.emit(explaining.report(), flags.format, renderExplanation);
  }
}
