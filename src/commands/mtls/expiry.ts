import { reportExpiry } from '../../app/expiry.ts';
import { exitCodeOfStatuses, expiryRemarks, expiryWarnings } from '../../app/expiry-verdict.ts';
import { clustersFlags } from '../../cli/clusters-flags.ts';
import { atFlag, failOnFlag, sentryAddressFlag, storeFlags, warnBeforeFlag } from '../../cli/flags.ts';
import { emitJudged, judgedFlags } from '../../cli/judged-output.ts';
import { lookAtPlaces } from '../../cli/look-at-places.ts';
import { MtlsCommand } from '../../cli/mtls-command.ts';
import { openReader } from '../../cli/open-store.ts';
import { renderExpiry } from '../../render/expiry.ts';

export default class Expiry extends MtlsCommand {
  static override summary = 'When the root certificate ends, and every other one of the bundle.';
  static override description =
    `Prints the line that scripts know from the official CLI. "The root" is the anchor whose key has signed the
issuer in use, wherever it stands in the file. A terminal also gets a table of all certificates.

Without --dir the cluster is meant. Who may not read its Secret, which holds the issuer key, is told the same from the ConfigMap and
from the certificate that Sentry shows. Outside the cluster Sentry is reached by a port-forward and --sentry-address; where it is not, the
issuer is not checked, and --fail-on ends with 3 at best.

A bundle that cannot be read, or in which no anchor carries the issuer, is an error and never a guess.`;
  static override examples = [
    { description: "When does the cluster's root end?", command: '<%= bin %> expiry' },
    { description: 'And that of a directory?', command: '<%= bin %> expiry --dir certs' },
    {
      description: 'In CI: fail (exit 10) when root or issuer end within 30 days',
      command: '<%= bin %> expiry -k --fail-on warning',
    },
    {
      description: 'The same with another threshold',
      command: '<%= bin %> expiry --dir certs --fail-on warning --warn-before 60d',
    },
    {
      description: 'The instant alone',
      command:
        '<%= bin %> expiry --dir certs --format json | sed -n \'s/.*"notAfter": "\\(.*\\)".*/\\1/p\' | head -n 1',
    },
    {
      description: "For node_exporter's textfile collector",
      command: '<%= bin %> expiry --dir certs --format prometheus -o dapr_mtls.prom',
    },
    {
      description: 'As a plugin of Nagios or Icinga',
      command: '<%= bin %> expiry -k --format nagios --warn-before 30d',
    },
    { description: 'In every cluster of the kubeconfig, the worst first', command: '<%= bin %> expiry --all-contexts' },
    {
      description: 'Without the right to read the Secret, from outside the cluster',
      command: '<%= bin %> expiry -k --sentry-address localhost:50001 --fail-on warning',
    },
    {
      description: 'Will it still be fine at the end of 2026?',
      command: '<%= bin %> expiry --dir certs --at 2026-12-31 --fail-on error',
    },
  ];
  static override exitCodes = [3, 4, 5, 10];
  static override isQuick = true;
  static override flags = {
    ...storeFlags,
    ...sentryAddressFlag,
    ...atFlag,
    ...warnBeforeFlag,
    ...failOnFlag('never'),
    ...judgedFlags,
    ...clustersFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Expiry);
    const look = async (context = flags.context) => {
      const store = await openReader({ ...flags, context }, this.env, { sentryAddress: flags['sentry-address'] });
      const report = reportExpiry(await store.read(), store.location, flags.at ?? this.now(), flags['warn-before']);
      return { report, exitCode: exitCodeOfStatuses(report, flags['fail-on']) };
    };
    const found = await lookAtPlaces('expiry', flags, { env: this.env, streams: this.streams }, look);
    if (!found) return;
    const { report, exitCode } = found;
    process.exitCode = await emitJudged(report, flags, { streams: this.streams, render: renderExpiry, exitCode });
    for (const warning of expiryWarnings(report)) this.streams.warn(`${warning}\n`);
    for (const remark of expiryRemarks(report)) this.streams.note(`${remark}\n`);
  }
}
