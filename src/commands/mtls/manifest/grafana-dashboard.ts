import { makeDashboard, makeDashboardConfigMap } from '../../../app/manifest/dashboard/dashboard.ts';
import { labelFlag, nameFlag, namespaceFlag, readLabels } from '../../../cli/manifest-flags.ts';
import { MtlsCommand } from '../../../cli/mtls-command.ts';
import { renderFile, renderManifest } from '../../../render/manifest.ts';

const dashboardGroup = 'DASHBOARD';

export default class ManifestGrafanaDashboard extends MtlsCommand {
  static override summary = 'Print a dashboard for Grafana: days to the end, sidecars by state, findings.';
  static override description =
    `A ConfigMap with the label by which the sidecar of Grafana's chart finds dashboards; with --format json the
dashboard alone, to import by hand or to provision as a file. Nothing is asked of a cluster and nothing is written there.

It shows the days to the end of root and issuer, the validity of every certificate, sidecars by their state over time, findings, when all of
this was read, and which watcher has the lead. Prometheus, cluster and instance are chosen at the top.`;
  static override examples = [
    {
      description: "For the sidecar of Grafana's chart",
      command: '<%= bin %> manifest grafana-dashboard -n monitoring > dashboard.yaml',
    },
    {
      description: 'To import by hand',
      command: '<%= bin %> manifest grafana-dashboard --format json > dapr-mtls.json',
    },
    {
      description: 'Where the sidecar looks for another label',
      command: '<%= bin %> manifest grafana-dashboard -n monitoring --label dashboards=platform',
    },
  ];
  static override flags = {
    namespace: namespaceFlag({ description: 'Where the ConfigMap is to live.', helpGroup: dashboardGroup }),
    name: nameFlag({
      description: 'The name of the ConfigMap.',
      default: 'dapr-mtls-dashboard',
      helpGroup: dashboardGroup,
    }),
    label: labelFlag({
      description: 'The label by which dashboards are found; may be said several times.',
      default: ['grafana_dashboard=1'],
      helpGroup: dashboardGroup,
    }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(ManifestGrafanaDashboard);
    const { name, namespace, label, format } = flags;
    this.streams.out(
      format === 'json'
        ? renderFile(makeDashboard(), format)
        : renderManifest([makeDashboardConfigMap({ name, namespace }, readLabels(label))], format),
    );
  }
}
