import * as Args from '@oclif/core/args';
import { inspect } from '../../app/inspect.ts';
import { atFlag, storeFlags } from '../../cli/flags.ts';
import { gatherForInspection } from '../../cli/inspect-source.ts';
import { MtlsCommand } from '../../cli/mtls-command.ts';
import { renderInspect } from '../../render/inspect.ts';

export default class Inspect extends MtlsCommand {
  static override summary = 'Show every certificate in full, who signed whom, and how long each is valid.';
  static override description =
    `Reads the cluster's bundle, a PEM file, a directory, or standard input, and keeps everything it finds: certificates,
keys (by what they belong to, never by their content), and what it does not understand with its line. It judges nothing: for that there
is check.`;
  static override examples = [
    { description: 'The bundle of the cluster', command: '<%= bin %> inspect -k' },
    { description: 'The bundle of a directory', command: '<%= bin %> inspect certs' },
    { description: 'One file', command: '<%= bin %> inspect certs/ca.crt' },
    { description: 'From a pipe', command: 'cat certs/ca.crt certs/issuer.crt | <%= bin %> inspect -' },
    {
      description: 'The fingerprints alone',
      command: '<%= bin %> inspect certs --format json | sed -n \'s/.*"fingerprint": "\\(.*\\)".*/\\1/p\'',
    },
  ];
  static override exitCodes = [3, 4, 5];
  static override isQuick = true;
  static override args = {
    source: Args.string({
      description: 'A PEM file, a directory, or - for standard input; else the store of --dir, else the cluster.',
      ignoreStdin: true,
    }),
  };
  static override flags = { ...storeFlags, ...atFlag };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Inspect);
    const gathered = await gatherForInspection(args.source, flags, this.env);
    const report = inspect({ ...gathered, at: flags.at ?? this.now() });
    await this.emit(report, flags.format, renderInspect);
    this.streams.note(`Read from: ${report.source.kind} ${report.source.name}\n`);
  }
}
