import * as Flags from '@oclif/core/flags';
import { auditSidecars, exitCodeOfAudit } from '../../app/audit/audit.ts';
import { auditRemarks, auditWarnings } from '../../app/audit/remarks.ts';
import { gatherAudit } from '../../cli/audit-input.ts';
import { clustersFlags } from '../../cli/clusters-flags.ts';
import { atFlag, clusterFlags, failOnFlag, sentryAddressFlag } from '../../cli/flags.ts';
import { emitJudged, judgedFlags } from '../../cli/judged-output.ts';
import { lookAtPlaces } from '../../cli/look-at-places.ts';
import { MtlsCommand } from '../../cli/mtls-command.ts';
import { withCluster } from '../../cli/with-cluster.ts';
import { renderAudit } from '../../render/audit.ts';

export default class Audit extends MtlsCommand {
  static override summary = 'Which sidecars hold which trust anchors, and who would break.';
  static override description =
    `A sidecar is born with its trust anchors and keeps them until its pod is re-created. This command reads what
every pod was born with and holds it against the live bundle, or against another one that you mean to bring.

current: holds the root, the anchor whose key signed the issuer in use. stale: lacks it and verifies its peers all the same, as under
a bridge. broken: verifies none of them, so that new connections fail; established ones hide it. unknown: the pod does not tell.

Who may not read the Secret has the anchors from the ConfigMap, and the issuer from the certificate that Sentry shows.

Pods that have ended do not count, those that are being deleted do. Clients that are not pods are seen by no audit.`;
  static override examples = [
    { description: 'Has every sidecar followed?', command: '<%= bin %> audit -k' },
    {
      description: 'In CI: only who is cut off makes the exit code 10',
      command: '<%= bin %> audit -k --fail-on error',
    },
    { description: 'Who would break under another bundle?', command: '<%= bin %> audit -k --against certs' },
    { description: 'Does everybody hold these anchors?', command: '<%= bin %> audit -k --against ca.crt' },
    { description: 'For a machine: every sidecar with its fingerprints', command: '<%= bin %> audit -k --format json' },
    { description: 'Counts for Prometheus', command: '<%= bin %> audit -k --format prometheus' },
  ];
  static override exitCodes = [3, 4, 5, 10];
  static override isQuick = true;
  static override flags = {
    ...clusterFlags,
    against: Flags.string({
      description: 'A PEM file of anchors, or a directory with a bundle, instead of the live bundle.',
      helpValue: 'FILE|DIR',
    }),
    'all-namespaces': Flags.boolean({
      char: 'A',
      description: 'The sidecars of all namespaces; so it is unless --only-namespace names one.',
      exclusive: ['only-namespace'],
    }),
    'only-namespace': Flags.string({
      description: 'The sidecars of this namespace alone.',
      helpValue: 'NAMESPACE',
    }),
    'all-pods': Flags.boolean({
      description:
        'Look into every pod, not only into those that the injector of Dapr 1.11 and later has labelled: finds sidecars of an older injector, and those that nobody injected.',
    }),
    ...sentryAddressFlag,
    ...atFlag,
    ...failOnFlag('warning'),
    ...judgedFlags,
    ...clustersFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Audit);
    // Reading commands mean the cluster unless they are told otherwise, and only a cluster has pods.
    const look = async (context = flags.context) => {
      const report = await withCluster({ ...flags, context, kubernetes: true }, this.env, async (cluster) =>
        auditSidecars(await gatherAudit(cluster, flags), flags.at ?? this.now()),
      );
      return { report, exitCode: exitCodeOfAudit(report, flags['fail-on']) };
    };
    const found = await lookAtPlaces('audit', flags, { env: this.env, streams: this.streams }, look);
    if (!found) return;
    const { report, exitCode } = found;
    process.exitCode = await emitJudged(report, flags, { streams: this.streams, render: renderAudit, exitCode });
    for (const warning of auditWarnings(report)) this.streams.warn(`${warning}\n`);
    for (const remark of auditRemarks(report)) this.streams.note(`${remark}\n`);
  }
}
