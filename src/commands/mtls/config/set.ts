import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { changeSettings } from '../../../cli/change-configuration.ts';
import { changeFlags, clusterRenewFlags, configFlag, storeFlags } from '../../../cli/flags.ts';
import { MtlsCommand } from '../../../cli/mtls-command.ts';
import { configurationRemarks, renderConfiguration } from '../../../render/configuration.ts';

export default class ConfigSet extends MtlsCommand {
  static override summary = 'Change mTLS settings of the Configuration; comments and order are kept.';
  static override description =
    `The settings are enabled, workloadCertTTL, allowedClockSkew, controlPlaneTrustDomain and sentryAddress. Durations are
written as Go does: 24h, 1h30m, 25s. They are judged together: a clock skew as long as the life of certificates would have
every sidecar renew without a pause, and certificates may not outlive the issuer. Sentry reads its Configuration when it starts: --restart
restarts whoever reads what was changed, and waits.
In a cluster that is the Configuration daprsystem of the control plane's namespace, of a directory the file of --config.`;
  static override examples = [
    { description: 'Leaves for twelve hours', command: '<%= bin %> config set workloadCertTTL=12h -k' },
    { description: 'Two at once', command: '<%= bin %> config set workloadCertTTL=1h allowedClockSkew=5m --dir certs' },
    {
      description: "The documentation's example, complete, and Sentry restarted with it",
      command: '<%= bin %> config set workloadCertTTL=25s allowedClockSkew=5s -k --restart',
    },
  ];
  static override exitCodes = [3, 4, 5, 6, 7];
  static override strict = false;
  static override args = {
    setting: Args.string({ description: 'NAME=VALUE; several are taken.', required: true, ignoreStdin: true }),
  };
  static override flags = {
    ...configFlag,
    settle: changeFlags.settle,
    restart: Flags.boolean({
      description: 'Restart the services that read what was changed, in their order and each waited for.',
      helpGroup: 'CLUSTER',
    }),
    timeout: clusterRenewFlags.timeout,
    ...storeFlags,
  };

  override async run(): Promise<void> {
    const { argv, flags } = await this.parse(ConfigSet);
    const now = () => this.now();
    const report = await changeSettings(argv as string[], flags, this.env, this.streams, now);
    await this.emit(report, flags.format, renderConfiguration);
    for (const remark of configurationRemarks(report)) this.streams.note(`${remark}\n`);
  }
}
