import { clusterRemark } from '../app/cluster-report.ts';
import { gatherMtlsState, reportMtlsState } from '../app/mtls-state.ts';
import { atFlag, clusterFlags } from '../cli/flags.ts';
import { MtlsCommand } from '../cli/mtls-command.ts';
import { withCluster } from '../cli/with-cluster.ts';
import { renderBanner } from '../render/banner.ts';
import { renderMtlsState } from '../render/mtls-state.ts';

export default class Mtls extends MtlsCommand {
  static override summary = 'Whether the sidecars of a cluster speak mutual TLS.';
  static override description =
    `Without a further word and with -k it says whether mutual TLS is enabled, as the Configuration "daprsystem" of the
control plane's namespace has it. The control plane itself always speaks mutual TLS, so that its certificates end
all the same: within 30 days of that a warning on standard error says so.`;
  static override examples = [
    { description: 'Is mutual TLS enabled?', command: '<%= bin %> -k' },
    { description: 'For a machine', command: '<%= bin %> -k --format json' },
  ];
  static override exitCodes = [3, 5];
  static override isQuick = true;
  static override flags = { ...clusterFlags, ...atFlag };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Mtls);
    const report = await withCluster(flags, this.env, async (cluster) =>
      reportMtlsState(await gatherMtlsState(cluster, flags.namespace), cluster.location, flags.at ?? this.now()),
    );
    await this.emit(report, flags.format, renderMtlsState);
    this.streams.note(`${clusterRemark(report.cluster)}\n`);
    this.streams.warn(renderBanner(report.expiry));
  }
}
