import { formatGoDuration } from '../configuration/duration.ts';
import type { Alert, AlertThresholds } from './alert.ts';
import { scheduledCommands } from './cron-job.ts';

/**
 * What tells one bundle from another: a Prometheus of several clusters, one host or watcher, one context of
 * `--contexts`. The replicas of a watcher share their `instance`, so that they are one.
 */
const place = 'cluster, context, instance';

const expiry = 'dapr_mtls_certificate_expiry_timestamp_seconds{role=~"root|issuer"}';
const lastRead = 'dapr_mtls_last_successful_read_timestamp_seconds';
/** Every replica that runs has it, whatever it can read. */
const watcher = 'dapr_mtls_watch_leader';

/** Pure: what somebody has to be told, in groups of rules as Prometheus reads them. */
export function makeAlertGroups(thresholds: AlertThresholds): { readonly name: string; readonly rules: Alert[] }[] {
  return [
    { name: 'dapr-mtls-certificates', rules: alertsOfCertificates(thresholds) },
    { name: 'dapr-mtls-sidecars', rules: alertsOfSidecars(thresholds) },
    { name: 'dapr-mtls-watching', rules: alertsOfWatching(thresholds) },
  ];
}

const where =
  '{{ with $labels.cluster }} in {{ . }}{{ end }}{{ with $labels.context }} in context {{ . }}{{ end }}{{ with $labels.instance }} ({{ . }}){{ end }}';

function alertsOfCertificates({ warnBeforeSeconds, criticalBeforeSeconds }: AlertThresholds): Alert[] {
  const remaining = `min by (${place}, role) (${expiry}) - time()`;
  const soon = {
    summary: `Dapr's {{ $labels.role }} certificate${where} ends in {{ $value | humanizeDuration }}`,
    description:
      'When it has ended, no sidecar gets a certificate any more, and no connection is made anew. A rotation in time loses no call; one after the end does.',
    runbook: 'dapr-mtls expiry -k; dapr-mtls check -k; dapr-mtls rotate plan -k',
  };
  return [
    {
      alert: 'DaprTrustEndsSoon',
      expr: `(${remaining} < ${warnBeforeSeconds}) >= ${criticalBeforeSeconds}`,
      for: '15m',
      labels: { severity: 'warning' },
      annotations: soon,
    },
    {
      alert: 'DaprTrustEndsSoon',
      expr: `(${remaining} < ${criticalBeforeSeconds}) > 0`,
      for: '5m',
      labels: { severity: 'critical' },
      annotations: soon,
    },
    {
      alert: 'DaprTrustExpired',
      expr: `${remaining} <= 0`,
      for: '0s',
      labels: { severity: 'critical' },
      annotations: {
        summary: `Dapr's {{ $labels.role }} certificate${where} has ended`,
        description:
          'Connections that stand go on; nothing that starts or connects anew verifies. A new bundle and a restart of everything is the only way now, and calls fail until that is done.',
        runbook: 'dapr-mtls expiry -k; dapr-mtls renew-certificate -k --restart; dapr-mtls restart -k --apps',
      },
    },
    {
      alert: 'DaprTrustFindings',
      expr: `max by (${place}, command, code) (dapr_mtls_findings{severity="error"}) > 0`,
      for: '5m',
      labels: { severity: 'critical' },
      annotations: {
        summary: `{{ $labels.command }} has found {{ $labels.code }}${where}`,
        description:
          'An error means that Sentry exits or replaces the bundle, or that calls fail. docs/findings.md has them all.',
        runbook: 'dapr-mtls check -k; dapr-mtls audit -k',
      },
    },
  ];
}

function alertsOfSidecars({ staleForSeconds, brokenForSeconds }: AlertThresholds): Alert[] {
  const counted = (state: string) => `max by (${place}, state) (dapr_mtls_sidecars{state=~"${state}"}) > 0`;
  return [
    {
      alert: 'DaprSidecarsStale',
      expr: counted('stale|unknown'),
      for: durationOf(staleForSeconds),
      labels: { severity: 'warning' },
      annotations: {
        summary: `{{ $value }} sidecars${where} have been {{ $labels.state }} for ${durationOf(staleForSeconds)}`,
        description:
          'A sidecar keeps the trust anchors that its pod was born with. These lack the root, or do not tell; they verify their peers only as long as a bridge or the old anchor lives.',
        runbook: 'dapr-mtls audit -k; dapr-mtls restart -k --apps --dry-run',
      },
    },
    {
      alert: 'DaprSidecarsBroken',
      expr: counted('broken'),
      for: durationOf(brokenForSeconds),
      labels: { severity: 'critical' },
      annotations: {
        summary: `{{ $value }} sidecars${where} verify none of their peers`,
        description:
          'New connections from and to them fail; established ones hide it until something restarts. Re-creating their pods mends it, unless nobody verifies the bundle itself: the audit tells.',
        runbook: 'dapr-mtls audit -k --fail-on error; dapr-mtls restart -k --apps',
      },
    },
  ];
}

function alertsOfWatching({ notReadForSeconds, expectsWatcher, cronJobName }: AlertThresholds): Alert[] {
  const unwatched = `group by (${place}) (present_over_time(${watcher}[1d])) unless group by (${place}) (${watcher})`;
  return [
    {
      alert: 'DaprTrustNotRead',
      expr: `time() - max by (${place}, command) (${lastRead}) > ${notReadForSeconds}`,
      for: '5m',
      labels: { severity: 'warning' },
      annotations: {
        summary: `{{ $labels.command }} has not read Dapr's certificates${where} for {{ $value | humanizeDuration }}`,
        description: 'Every other figure of it is as old, and no alert on them can be trusted.',
        runbook: 'kubectl logs -n dapr-system deploy/dapr-mtls-watch; dapr-mtls check -k',
      },
    },
    {
      alert: 'DaprTrustNeverRead',
      expr: `group by (${place}) (${watcher}) unless group by (${place}) (${lastRead}{command="watch"})`,
      for: '10m',
      labels: { severity: 'warning' },
      annotations: {
        summary: `A watcher${where} runs and has never read Dapr's certificates`,
        description: 'It may not read what it has to, or Sentry does not answer it; its log tells which.',
        runbook: 'kubectl logs -n dapr-system deploy/dapr-mtls-watch',
      },
    },
    {
      alert: 'DaprTrustClusterNotRead',
      expr: `max by (${place}) (dapr_mtls_cluster_read) == 0`,
      for: '30m',
      labels: { severity: 'warning' },
      annotations: {
        summary: 'Context {{ $labels.context }} could not be looked at for 30 minutes',
        description: 'It does not answer, refuses, or has no Dapr; its certificates end all the same.',
        runbook: 'dapr-mtls expiry --context {{ $labels.context }}',
      },
    },
    {
      alert: 'DaprTrustWatcherGone',
      // Quiet where there has never been one: a collector's files alone are no watcher. With `absent` it would be the other way round.
      expr: expectsWatcher ? `(${unwatched}) or absent(${watcher})` : unwatched,
      for: '10m',
      labels: { severity: 'warning' },
      annotations: {
        summary: `No watcher of Dapr's certificates tells anything any more${where}`,
        description: 'It does not run, or Prometheus does not reach it: nobody would see a date that comes.',
        runbook: 'kubectl get deploy,pods -n dapr-system -l app.kubernetes.io/component=watch',
      },
    },
    {
      alert: 'DaprTrustWatcherWithoutLeader',
      expr: `max by (${place}) (${watcher}) == 0`,
      for: '10m',
      labels: { severity: 'warning' },
      annotations: {
        summary: `No watcher${where} has the lead`,
        description: 'All of them look and serve figures, and none writes warnings and events or calls a command.',
        runbook: 'kubectl describe lease dapr-mtls-watch -n dapr-system',
      },
    },
    alertOfCronJobs(cronJobName),
  ];
}

/**
 * By kube-state-metrics: a Job that failed has findings (exit 10), or could not look. A CronJob that has never
 * succeeded, or of whose successes nobody tells, is judged by the failed Jobs that are still there.
 */
function alertOfCronJobs(cronJobName: string): Alert {
  const names = `${cronJobName}-(${scheduledCommands.join('|')})`;
  const of = 'cluster, namespace, cronjob';
  const labels = `{cronjob=~"${names}"}`;
  const scheduled = `max by (${of}) (kube_cronjob_status_last_schedule_time${labels})`;
  const succeeded = `max by (${of}) (kube_cronjob_status_last_successful_time${labels})`;
  const failed = `kube_job_failed{condition="true", job_name=~"${names}-.+"} == 1`;
  const named = `label_replace(${failed}, "cronjob", "$1", "job_name", "(${names})-.+")`;
  return {
    alert: 'DaprTrustCheckFailed',
    expr: `${scheduled} > ${succeeded} or (group by (${of}) (${named}) unless ${succeeded})`,
    // Longer than a Job may take.
    for: '15m',
    labels: { severity: 'warning' },
    annotations: {
      summary: 'The last run of CronJob {{ $labels.namespace }}/{{ $labels.cronjob }} has not succeeded',
      description: 'It found what --fail-on asks for (exit code 10), or it could not look (3, 4, 5).',
      runbook:
        'kubectl logs -n {{ $labels.namespace }} -l app.kubernetes.io/instance={{ $labels.cronjob }} --tail=50; dapr-mtls check -k',
    },
  };
}

function durationOf(seconds: number): string {
  return formatGoDuration(seconds * 1000);
}
