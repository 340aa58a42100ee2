import * as Flags from '@oclif/core/flags';
import { parseGoDuration } from '../../app/configuration/duration.ts';
import { clusterFlags, outputFlags } from '../../cli/flags.ts';
import { printLogs } from '../../cli/logs/print-logs.ts';
import { MtlsCommand } from '../../cli/mtls-command.ts';
import { withCluster } from '../../cli/with-cluster.ts';
import { DaprMtlsError } from '../../errors.ts';

export default class Logs extends MtlsCommand {
  static override summary = 'The logs of Sentry, from all its replicas, by time.';
  static override description =
    `Reads the log of every pod and merges them by the instants at which the nodes took the lines. With -f it goes on: through cuts of
the connection, restarts of a container and replicas that come and go, with no line twice and none lost.

Each line stands behind the name of its pod, as it was written, in either of Dapr's two log shapes. On a terminal errors, warnings and the
lines that \`explain\` knows are picked out; at the end standard error tells which of these were seen.

With --format json each line is a document of its own on one line. Ctrl-C ends with exit code 130.`;
  static override examples = [
    { description: 'What has Sentry written within the last hour?', command: '<%= bin %> logs -k --since 1h' },
    { description: 'What does it write now?', command: '<%= bin %> logs -k -f --tail 20' },
    { description: 'Why did it end before?', command: '<%= bin %> logs -k --previous --tail 50' },
    {
      description: 'What do its lines mean, and how are they mended?',
      command: '<%= bin %> logs -k | <%= bin %> explain',
    },
    { description: 'The whole control plane', command: '<%= bin %> logs -k --service all --since 10m' },
    {
      description: 'Errors alone, for a machine',
      command: '<%= bin %> logs -k --format json | jq \'select(.level == "error")\'',
    },
  ];
  static override exitCodes = [3, 5];
  static override flags = {
    ...clusterFlags,
    format: Flags.string({
      description: 'How the lines are written; json: one document a line.',
      options: ['text', 'json'],
      default: 'text',
      helpGroup: outputFlags.format.helpGroup ?? 'OUTPUT',
    }),
    follow: Flags.boolean({
      char: 'f',
      description: 'Go on with what is written from now on, until Ctrl-C.',
      exclusive: ['previous'],
    }),
    since: Flags.custom<number>({
      description: 'Only lines that are no older than this: 90s, 10m, 1h30m.',
      helpValue: 'DURATION',
      parse: async (text) => {
        const ms = parseGoDuration(text);
        if (ms !== undefined && ms > 0) return ms;
        throw new DaprMtlsError('usage.invalid', {
          message: `--since ${text} is not a length of time`,
          hint: 'Write it as 90s, 10m or 1h30m.',
        });
      },
    })(),
    tail: Flags.integer({ description: 'Only the last so many lines of each pod.', helpValue: 'N', min: 0 }),
    previous: Flags.boolean({
      char: 'p',
      description: 'The log of the containers that ran before these: why did they end?',
    }),
    service: Flags.option({
      description: 'Whose log.',
      options: ['sentry', 'injector', 'operator', 'placement', 'scheduler', 'all'] as const,
      default: 'sentry' as const,
    })(),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Logs);
    // Reading commands mean the cluster unless they are told otherwise, and only a cluster has pods.
    process.exitCode = await withCluster({ ...flags, kubernetes: true }, this.env, (cluster) =>
      printLogs(cluster, flags, this.streams),
    );
  }
}
