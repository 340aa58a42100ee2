import * as Args from '@oclif/core/args';
import { changeSettings } from '../../../cli/change-configuration.ts';
import { changeFlags, configFlag, storeFlags } from '../../../cli/flags.ts';
import { MtlsCommand } from '../../../cli/mtls-command.ts';
import { renderConfiguration } from '../../../render/configuration.ts';

export default class ConfigSet extends MtlsCommand {
  static override summary = 'Change mTLS settings of the Configuration; comments and order are kept.';
  static override description =
    `The settings are enabled, workloadCertTTL, allowedClockSkew, controlPlaneTrustDomain and sentryAddress. Durations are
written as Go does: 24h, 1h30m, 25s. Sentry reads its Configuration when it starts, so restart it afterwards.
In a cluster that is the Configuration daprsystem of the control plane's namespace, of a directory the file of --config.`;
  static override examples = [
    { description: 'Leaves for twelve hours', command: '<%= bin %> config set workloadCertTTL=12h -k' },
    { description: 'Two at once', command: '<%= bin %> config set workloadCertTTL=1h allowedClockSkew=5m --dir certs' },
  ];
  static override exitCodes = [3, 5, 6];
  static override strict = false;
  static override args = {
    setting: Args.string({ description: 'NAME=VALUE; several are taken.', required: true, ignoreStdin: true }),
  };
  static override flags = { ...configFlag, settle: changeFlags.settle, ...storeFlags };

  override async run(): Promise<void> {
    const { argv, flags } = await this.parse(ConfigSet);
    const report = await changeSettings(argv as string[], flags, this.env, this.streams);
    await this.emit(report, flags.format, renderConfiguration);
    this.streams.note(`Written: ${report.path}. Restart Sentry: it reads its Configuration only when it starts.\n`);
  }
}
