import * as Flags from '@oclif/core/flags';
import { type CronJobManifestWish, scheduledCommands } from '../app/manifest/cron-job.ts';
import { isSchedule } from '../app/manifest/schedule.ts';
import { DaprMtlsError } from '../errors.ts';
import { failOnFlag } from './flags.ts';
import { imageFlag, nameFlag, namespaceFlag } from './manifest-flags.ts';
import { lengthOfTimeFlag } from './manifest-times.ts';

const cronGroup = 'CRONJOB';
const commandGroup = 'COMMANDS';
/** Of 52 letters that a CronJob may have, those that `-expiry` leaves. */
const longestName = 45;

export const manifestCronJobFlags = {
  image: imageFlag({
    description: 'An image that has dapr-mtls on its PATH. Name it by its digest.',
    helpGroup: cronGroup,
  }),
  namespace: namespaceFlag({
    description: "The control plane's namespace; the CronJobs live there, too.",
    helpGroup: cronGroup,
  }),
  name: nameFlag({
    description: 'What the names of the objects begin with.',
    default: 'dapr-mtls',
    longest: longestName,
    helpGroup: cronGroup,
  }),
  schedule: Flags.custom<string>({
    description: 'When they run: the five fields of cron, or @hourly, @daily, @weekly.',
    helpValue: '"0 6 * * *"',
    default: '0 6 * * *',
    helpGroup: cronGroup,
    parse: async (text) => {
      if (isSchedule(text)) return text;
      throw new DaprMtlsError('usage.invalid', {
        message: `--schedule ${JSON.stringify(text)} is not a schedule of Kubernetes`,
        hint: 'Write minute, hour, day, month and weekday: "0 6 * * *", "*/30 * * * *", "0 6 * * mon-fri"; or @hourly, @daily. The zone goes into --time-zone.',
      });
    },
  })(),
  'time-zone': Flags.custom<string>({
    description: "The zone of the schedule (default that of the cluster's controller manager).",
    helpValue: 'Europe/Berlin',
    helpGroup: cronGroup,
    parse: async (text) => {
      if (isZone(text)) return text;
      throw new DaprMtlsError('usage.invalid', {
        message: `--time-zone: there is no zone ${text}`,
        hint: 'Write it as Europe/Berlin or Etc/UTC.',
      });
    },
  })(),
  command: Flags.option({
    description: 'What is run, each in a CronJob of its own with rights of its own; may be said several times.',
    options: scheduledCommands,
    multiple: true,
    default: ['expiry', 'audit'],
    helpGroup: commandGroup,
  })(),
  ...failOnFlag('warning'),
  'warn-before': lengthOfTimeFlag('warn-before', {
    description: 'Certificates that end within this time are worth a warning (default 30d).',
    helpGroup: commandGroup,
  }),
};

export interface ManifestCronJobFlags {
  readonly image: string;
  readonly namespace: string;
  readonly name: string;
  readonly schedule: string;
  readonly 'time-zone': string | undefined;
  readonly command: readonly CronJobManifestWish['commands'][number][];
  readonly 'fail-on': string;
  readonly 'warn-before': string | undefined;
}

export function readCronJobManifestWish(flags: ManifestCronJobFlags): CronJobManifestWish {
  return {
    image: flags.image,
    namespace: flags.namespace,
    name: flags.name,
    commands: scheduledCommands.filter((command) => flags.command.includes(command)),
    schedule: flags.schedule,
    timeZone: flags['time-zone'],
    failOn: flags['fail-on'],
    warnBefore: flags['warn-before'],
  };
}

/** By its name: the API server takes no offset, and no `Local`. */
function isZone(text: string): boolean {
  if (!/^[A-Za-z][\w+-]*(\/[\w+-]+)*$/.test(text) || text.toLowerCase() === 'local') return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
