import { viewConfiguration } from '../../../cli/change-configuration.ts';
import { configFlag, storeFlags } from '../../../cli/flags.ts';
import { MtlsCommand } from '../../../cli/mtls-command.ts';
import { configurationRemarks, renderConfiguration } from '../../../render/configuration.ts';

export default class ConfigView extends MtlsCommand {
  static override summary = 'Show the mTLS settings of the Configuration, defaults and token validators included.';
  static override description =
    'Reads spec.mtls of the Configuration: of a cluster daprsystem beside the control plane, else the file that sentry and daprd are started with.';
  static override examples = [
    { description: 'The settings of the cluster', command: '<%= bin %> config view -k' },
    { description: 'Those of a directory', command: '<%= bin %> config view --dir certs' },
  ];
  static override exitCodes = [3, 5];
  static override flags = { ...configFlag, ...storeFlags };

  override async run(): Promise<void> {
    const { flags } = await this.parse(ConfigView);
    const report = await viewConfiguration(flags, this.env);
    await this.emit(report, flags.format, renderConfiguration);
    for (const remark of configurationRemarks(report)) this.streams.note(`${remark}\n`);
    this.streams.note(`Configuration: ${report.path}${report.exists ? '' : ' (not there)'}\n`);
  }
}
