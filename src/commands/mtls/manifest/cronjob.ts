import { makeCronJobManifest } from '../../../app/manifest/cron-job.ts';
import { manifestCronJobFlags, readCronJobManifestWish } from '../../../cli/manifest-cronjob-input.ts';
import { MtlsCommand } from '../../../cli/mtls-command.ts';
import { renderManifest } from '../../../render/manifest.ts';

export default class ManifestCronjob extends MtlsCommand {
  static override summary = 'Print CronJobs that look at the trust bundle on a schedule, with the least rights for it.';
  static override description =
    `Objects for \`kubectl apply -f -\`: for each --command a ServiceAccount, a Role, its binding and a CronJob, and for
audit a ClusterRole that lists pods. They run as a user that is not root, on a file system that they cannot write. Nothing is asked of a
cluster and nothing is written there.

expiry and audit get no right on the Secret, which holds the CA's key: they read the ConfigMap, and ask Sentry for the certificate that it
shows. check may read that one Secret, because it judges the issuer's key, and whether Secret and ConfigMap agree.

Findings as grave as --fail-on asks (exit code 10) make a failed Job, and so does a cluster that cannot be looked at. A Job is never tried
twice; its pods keep what was found in their logs, the last three of those that failed for a week. kube-state-metrics shows it, and the rule
DaprTrustCheckFailed of \`manifest prometheus-rule\` tells of it.`;
  static override examples = [
    {
      description: 'When does it end, and has every sidecar followed? Each morning',
      command: '<%= bin %> manifest cronjob --image registry.example/dapr-mtls:0.1.0 > cronjobs.yaml',
    },
    {
      description: 'All that can be judged, each hour, errors alone',
      command:
        '<%= bin %> manifest cronjob --image registry.example/dapr-mtls:0.1.0 --command check --schedule @hourly --fail-on error',
    },
    {
      description: 'On workdays at seven in Berlin, 60 days before the end',
      command:
        '<%= bin %> manifest cronjob --image registry.example/dapr-mtls:0.1.0 --command expiry --schedule "0 7 * * mon-fri" --time-zone Europe/Berlin --warn-before 60d',
    },
  ];
  static override flags = manifestCronJobFlags;

  override async run(): Promise<void> {
    const { flags } = await this.parse(ManifestCronjob);
    this.streams.out(renderManifest(makeCronJobManifest(readCronJobManifestWish(flags)), flags.format));
  }
}
