import { clusterRemark } from '../app/cluster-report.ts';
import { exitCodeOfStatus, reportStatus, statusRemarks } from '../app/status/report.ts';
import { asksForSeveral, clustersFlags } from '../cli/clusters-flags.ts';
import { atFlag, clusterFlags, failOnFlag, sentryAddressFlag } from '../cli/flags.ts';
import { lookAtPlaces } from '../cli/look-at-places.ts';
import { MtlsCommand } from '../cli/mtls-command.ts';
import { readStatus } from '../cli/status-input.ts';
import { withCluster } from '../cli/with-cluster.ts';
import { renderBanner } from '../render/banner.ts';
import { renderStatus } from '../render/status.ts';

export default class Status extends MtlsCommand {
  static override summary = "The health of the control plane's services.";
  static override description =
    `The table that scripts know from the official CLI: one row a service, also where it has no pods. A service is
healthy when as many pods of its current revision are ready as are asked for; pods that an unfinished rollout has left
behind do not count, and a service scaled to 0 lacks nothing. The version is that of Dapr's own container.

Within 30 days of the end of the root or issuer certificate a warning on standard error says so. Who may not read the Secret is warned by
the ConfigMap and by the certificate that Sentry shows.`;
  static override examples = [
    { description: 'How is the control plane?', command: '<%= bin %> status -k' },
    {
      description: 'In CI: fail (exit 10) when a service is not healthy',
      command: '<%= bin %> status -k --fail-on error',
    },
    { description: 'In every cluster of the kubeconfig', command: '<%= bin %> status --all-contexts' },
    { description: 'For a machine', command: '<%= bin %> status -k --format json' },
  ];
  static override exitCodes = [3, 5, 10];
  static override isQuick = true;
  static override flags = {
    ...clusterFlags,
    ...sentryAddressFlag,
    ...atFlag,
    ...failOnFlag('never'),
    ...clustersFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Status);
    const look = async (context = flags.context) => {
      const kubernetes = flags.kubernetes || asksForSeveral(flags);
      const report = await withCluster({ ...flags, context, kubernetes }, this.env, async (cluster) =>
        reportStatus(await readStatus(cluster, flags), cluster.location, flags.at ?? this.now()),
      );
      return { report, exitCode: exitCodeOfStatus(report, flags['fail-on']) };
    };
    const found = await lookAtPlaces('status', flags, { env: this.env, streams: this.streams }, look);
    if (!found) return;
    const { report, exitCode } = found;
    await this.emit(report, flags.format, (status) => renderStatus(status, (instant) => instant.getTimezoneOffset()));
    for (const remark of [...statusRemarks(report), clusterRemark(report.cluster)]) this.streams.note(`${remark}\n`);
    this.streams.warn(renderBanner(report.expiry));
    process.exitCode = exitCode;
  }
}
