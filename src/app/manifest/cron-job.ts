import { grant, makeAccount, nameInCluster, type Rule } from './grant.ts';
import { type Labels, labelsOfInstance, type ManifestObject } from './object.ts';
import { makeContainer, makePodSpec, withoutSidecar } from './pod.ts';
import { publicRules, secretRule, sidecarRules } from './watch-rights.ts';

/** What may be run on a schedule: each looks and changes nothing. */
export const scheduledCommands = ['expiry', 'audit', 'check'] as const;
export type ScheduledCommand = (typeof scheduledCommands)[number];

/** What the CronJobs are to be. */
export interface CronJobManifestWish {
  /** An image with `dapr-mtls` on its PATH. */
  readonly image: string;
  /** Of the control plane. */
  readonly namespace: string;
  /** The objects of each command bear it, a dash, and the name of the command. */
  readonly name: string;
  readonly commands: readonly ScheduledCommand[];
  /** Five fields of cron, or a word such as `@daily`. */
  readonly schedule: string;
  /** Of the schedule; undefined: that of the cluster's controller manager. */
  readonly timeZone: string | undefined;
  readonly failOn: string;
  /** As it was typed; undefined: the default of the command. */
  readonly warnBefore: string | undefined;
}

/** What the pods of all commands have in common. */
export const cronJobComponent = 'check';

/** Pure: for each command a CronJob, and the least that it has to be allowed: each its own account. */
export function makeCronJobManifest(wish: CronJobManifestWish): ManifestObject[] {
  return wish.commands.flatMap((command) => {
    const own = { name: `${wish.name}-${command}`, namespace: wish.namespace };
    const labels = labelsOfInstance(cronJobComponent, own.name);
    const to = { account: own, labels };
    return [
      makeAccount(own, labels),
      ...grant('Role', own, rulesOf(command), to),
      ...(command === 'audit' ? grant('ClusterRole', { name: nameInCluster(own) }, sidecarRules(['list']), to) : []),
      makeCronJob(wish, { command, labels }),
    ];
  });
}

function rulesOf(command: ScheduledCommand): Rule[] {
  // Only `check` judges the issuer's key, and whether Secret and ConfigMap agree.
  return [...publicRules(['get']), ...(command === 'check' ? [secretRule(['get'])] : [])];
}

const daySeconds = 86_400;

function makeCronJob(
  wish: CronJobManifestWish,
  { command, labels }: { readonly command: ScheduledCommand; readonly labels: Labels },
): ManifestObject {
  const { namespace, schedule, timeZone } = wish;
  const name = `${wish.name}-${command}`;
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name, namespace, labels },
    spec: {
      schedule,
      ...(timeZone === undefined ? {} : { timeZone }),
      concurrencyPolicy: 'Forbid',
      startingDeadlineSeconds: 300,
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 3,
      jobTemplate: {
        metadata: { labels },
        spec: {
          // Findings are there on the second look, too.
          backoffLimit: 0,
          activeDeadlineSeconds: 600,
          ttlSecondsAfterFinished: 7 * daySeconds,
          // A node that is drained is no finding.
          podFailurePolicy: {
            rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }],
          },
          template: {
            metadata: { labels, annotations: withoutSidecar },
            spec: {
              ...makePodSpec({
                account: name,
                restartPolicy: 'Never',
                containers: [
                  makeContainer({
                    name: command,
                    image: wish.image,
                    args: argsOf(wish, command),
                    resources: { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '256Mi' } },
                  }),
                ],
              }),
              automountServiceAccountToken: true,
              enableServiceLinks: false,
            },
          },
        },
      },
    },
  };
}

function argsOf({ namespace, failOn, warnBefore }: CronJobManifestWish, command: ScheduledCommand): string[] {
  return [
    'mtls',
    command,
    '-k',
    '--namespace',
    namespace,
    '--fail-on',
    failOn,
    ...(warnBefore === undefined || command === 'audit' ? [] : ['--warn-before', warnBefore]),
  ];
}
