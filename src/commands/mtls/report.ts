import { exitCodeOfClusters } from '../../app/clusters/report.ts';
import { defaultWarnBeforeMs } from '../../app/report.ts';
import { judgeSite, uniteSites } from '../../app/trust-report/judge.ts';
import { asksForSeveral, clustersFlags } from '../../cli/clusters-flags.ts';
import {
  atFlag,
  configFlag,
  daprVersionFlag,
  failOnFlag,
  sentryAddressFlag,
  storeFlags,
  warnBeforeFlag,
} from '../../cli/flags.ts';
import { renderDocument } from '../../cli/judged-output.ts';
import { MtlsCommand } from '../../cli/mtls-command.ts';
import { aimOf, assertPageHasPlace, reportFlags, writeReport } from '../../cli/report-output.ts';
import { gatherTrust } from '../../cli/trust-report-input.ts';
import { lookAtSites } from '../../cli/trust-report-sites.ts';
import { renderPage } from '../../render/page/page.ts';

export default class Report extends MtlsCommand {
  static override summary = 'One page to look at: chain, validity, sidecars, findings and their mends.';
  static override description =
    `Writes one HTML file that needs nothing else: no network, no script, no font. It can be mailed, kept as an
artifact of a nightly job, and printed. It tells what expiry, inspect, check, audit and config view tell, with the same figures, for a
directory, a cluster, or many of them side by side, and never holds a key.

What this user may not look at, as the Secret or the pods, is said on the page, and the rest is told. The page is the result: it is
written whatever was found, and only --fail-on makes findings an exit code.`;
  static override examples = [
    { description: 'The cluster of your kubeconfig', command: '<%= bin %> report -k -o trust.html' },
    { description: 'A directory', command: '<%= bin %> report --dir certs -o trust.html' },
    {
      description: 'Every cluster of the kubeconfig, the worst first',
      command: '<%= bin %> report --all-contexts -o trust.html',
    },
    {
      description: 'In a nightly job: the page is written, and errors make the exit code 10',
      command: '<%= bin %> report -k -o trust.html --fail-on error',
    },
    { description: 'Into a pipe', command: '<%= bin %> report --dir certs -o - > trust.html' },
    { description: 'The document that the page is made from', command: '<%= bin %> report --dir certs --format json' },
  ];
  static override exitCodes = [3, 4, 5, 10];
  static override flags = {
    ...storeFlags,
    ...sentryAddressFlag,
    ...atFlag,
    ...warnBeforeFlag,
    ...daprVersionFlag,
    ...configFlag,
    ...failOnFlag('never'),
    ...reportFlags,
    ...clustersFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Report);
    assertPageHasPlace(flags, this.streams);
    const at = flags.at ?? this.now();
    const options = {
      at,
      warnBeforeMs: flags['warn-before'] ?? defaultWarnBeforeMs,
      daprVersion: flags['dapr-version'],
    };
    const look = async (context = flags.context) =>
      judgeSite(await gatherTrust({ ...flags, context }, this.env, at), options, flags['fail-on']);
    const sites = asksForSeveral(flags) ? await lookAtSites(flags, this.env, look) : [await look()];
    const report = uniteSites(sites, at);
    const text = await renderDocument(report, flags.format, renderPage, aimOf(report, this.streams.aim));
    await writeReport(text, flags.output, this.streams);
    process.exitCode = exitCodeOfClusters({ clusters: sites });
    this.streams.note(`${report.verdict}\n`);
  }
}
