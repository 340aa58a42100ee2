import { storeFlags } from '../../cli/flags.ts';
import { MtlsCommand } from '../../cli/mtls-command.ts';
import { runWatch } from '../../cli/watch/run-watch.ts';
import { watchFlags } from '../../cli/watch/watch-flags.ts';

export default class Watch extends MtlsCommand {
  static override summary = 'Keep an eye on the certificates, and say in time when one ends.';
  static override description =
    `Looks at once, on every change and now and then, and writes a log as Sentry does: what changed, once; and each
hour, from 30 days before the end on, the sentence that Dapr's documentation promises: "Dapr root certificate expiration warning:
certificate expires in 2 days and 15 hours". The same for the issuer, for every other anchor, and for sidecars that lack the root.

Without --dir the cluster is meant. It needs no right on the Secret: the anchors stand in the ConfigMap, and Sentry itself shows the
issuer. --read-secret adds what only the Secret tells.

Runs until SIGTERM or SIGINT and ends with exit code 0. A look that fails is told and tried again; the log is on standard output.`;
  static override examples = [
    { description: "The cluster's trust, in the log", command: '<%= bin %> watch -k' },
    { description: 'That of a directory', command: '<%= bin %> watch --dir certs' },
    {
      description: 'Warn from 60 days before the end on, or from the last fifth of the lifetime',
      command: '<%= bin %> watch --dir certs --warn-at 60d,20%',
    },
    {
      description: 'With figures for Prometheus, and probes',
      command: '<%= bin %> watch --dir certs --listen 127.0.0.1:9108',
    },
    {
      description: 'Tell a person',
      command: `<%= bin %> watch --dir certs --on-warning 'mail -s "Dapr certificates" ops@example.com'`,
    },
    {
      description: 'In a pod, as one of several replicas, with Kubernetes Events',
      command: '<%= bin %> watch -k --leader-elect --events --listen :9108 --log-as-json',
    },
    { description: 'What will it say in 2027?', command: '<%= bin %> watch --dir certs --at 2027-11-01' },
  ];
  static override exitCodes = [3, 5];
  static override flags = { ...storeFlags, ...watchFlags };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Watch);
    await runWatch(flags, this.env, this.streams);
  }
}
