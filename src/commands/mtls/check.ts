import { checkBundle, exitCodeOfFindings } from '../../app/check/check.ts';
import { defaultWarnBeforeMs } from '../../app/report.ts';
import { clustersFlags } from '../../cli/clusters-flags.ts';
import { atFlag, configFlag, daprVersionFlag, failOnFlag, storeFlags, warnBeforeFlag } from '../../cli/flags.ts';
import { emitJudged, judgedFlags } from '../../cli/judged-output.ts';
import { lookAtPlaces } from '../../cli/look-at-places.ts';
import { MtlsCommand } from '../../cli/mtls-command.ts';
import { surveyStore } from '../../cli/survey.ts';
import { renderCheck } from '../../render/check.ts';

export default class Check extends MtlsCommand {
  static override summary = 'Judge a bundle by every rule that Sentry and its clients apply.';
  static override description =
    `Sentry accepts bundles that no sidecar can use, and loses trust anchors without a word behind damage in a
file. This command reads the three files as Sentry does, signs nothing, and proves whether certificates of this issuer would verify.

In a cluster, which is meant without --dir, it also finds Secret and ConfigMap that differ, so that the next Sentry to start would make a
new root; and who else keeps them and would undo a renewal: a Helm release, Argo CD, Flux and others.

Each finding has a code, a severity and a mend: error means that Sentry exits or replaces the bundle, or that calls fail; warning, that it
will come to that. docs/findings.md has them all.`;
  static override examples = [
    { description: "Is the cluster's bundle sound, and whose is it?", command: '<%= bin %> check -k' },
    { description: 'Is that of a directory?', command: '<%= bin %> check --dir certs' },
    {
      description: 'Only what is broken now makes the exit code 10',
      command: '<%= bin %> check --dir certs --fail-on error',
    },
    { description: 'Also by the rules of an older Dapr', command: '<%= bin %> check --dir certs --dapr-version 1.12' },
    { description: 'For a machine', command: '<%= bin %> check --dir certs --format json' },
    { description: 'Annotations in GitHub Actions', command: '<%= bin %> check --dir certs --format github' },
    {
      description: 'A report that GitLab and Jenkins read',
      command: '<%= bin %> check --dir certs --format junit -o mtls.xml',
    },
  ];
  static override exitCodes = [3, 4, 5, 10];
  static override isQuick = true;
  static override flags = {
    ...storeFlags,
    ...atFlag,
    ...warnBeforeFlag,
    ...daprVersionFlag,
    ...configFlag,
    ...failOnFlag('warning'),
    ...judgedFlags,
    ...clustersFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Check);
    const look = async (context = flags.context) => {
      const { stored, location, surroundings, daprVersion } = await surveyStore({ ...flags, context }, this.env);
      const report = checkBundle(stored, location, surroundings, {
        at: flags.at ?? this.now(),
        warnBeforeMs: flags['warn-before'] ?? defaultWarnBeforeMs,
        daprVersion: flags['dapr-version'] ?? daprVersion,
      });
      return { report, exitCode: exitCodeOfFindings(report, flags['fail-on']) };
    };
    const found = await lookAtPlaces('check', flags, { env: this.env, streams: this.streams }, look);
    if (!found) return;
    const { report, exitCode } = found;
    process.exitCode = await emitJudged(report, flags, { streams: this.streams, render: renderCheck, exitCode });
    this.streams.note(`Trust store: ${report.store.kind} ${report.store.name}\n`);
  }
}
