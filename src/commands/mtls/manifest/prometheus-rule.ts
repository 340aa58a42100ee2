import { makeAlertGroups } from '../../../app/manifest/alerts.ts';
import { makePrometheusRule } from '../../../app/manifest/prometheus-rule.ts';
import { readLabels } from '../../../cli/manifest-flags.ts';
import { manifestRuleFlags, readAlertThresholds } from '../../../cli/manifest-rule-input.ts';
import { MtlsCommand } from '../../../cli/mtls-command.ts';
import { renderFile, renderManifest } from '../../../render/manifest.ts';

export default class ManifestPrometheusRule extends MtlsCommand {
  static override summary = 'Print alerts on the figures of watch, expiry, check and audit.';
  static override description =
    `A PrometheusRule for the operator of Prometheus, or with --plain a file of rules for Prometheus itself. Nothing is
asked of a cluster and nothing is written there.

DaprTrustEndsSoon (a warning, then critical), DaprTrustExpired, DaprTrustFindings; DaprSidecarsStale, DaprSidecarsBroken; DaprTrustNotRead,
DaprTrustNeverRead, DaprTrustClusterNotRead, DaprTrustWatcherGone, DaprTrustWatcherWithoutLeader, and DaprTrustCheckFailed for the CronJobs,
by kube-state-metrics. Each is told once for a bundle: what differs in the labels cluster, context and instance is another one.

DaprTrustWatcherGone tells of a watcher that was there within the last day. Where files of a collector are all there is, nothing is missed;
--expect-watcher misses it all the same.`;
  static override examples = [
    {
      description: "For kube-prometheus-stack's operator",
      command: '<%= bin %> manifest prometheus-rule -n monitoring --label release=kube-prometheus-stack > rules.yaml',
    },
    {
      description: 'For Prometheus itself: a file to name under rule_files',
      command: '<%= bin %> manifest prometheus-rule --plain > dapr-mtls.rules.yaml',
    },
    {
      description: 'Earlier, and for files that are written once a day',
      command:
        '<%= bin %> manifest prometheus-rule --plain --warn-before 60d --critical-before 14d --stale-for 1d --not-read-for 26h',
    },
  ];
  static override flags = manifestRuleFlags;

  override async run(): Promise<void> {
    const { flags } = await this.parse(ManifestPrometheusRule);
    const { name, namespace, label, format } = flags;
    const thresholds = readAlertThresholds(flags);
    this.streams.out(
      flags.plain
        ? renderFile({ groups: makeAlertGroups(thresholds) }, format)
        : renderManifest([makePrometheusRule({ name, namespace }, readLabels(label), thresholds)], format),
    );
  }
}
