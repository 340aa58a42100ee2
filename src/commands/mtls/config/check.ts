import { checkBundle, exitCodeOfFindings } from '../../../app/check/check.ts';
import { keepConfigurationFindings } from '../../../app/configuration/check.ts';
import { defaultWarnBeforeMs } from '../../../app/report.ts';
import { atFlag, configFlag, failOnFlag, storeFlags } from '../../../cli/flags.ts';
import { MtlsCommand } from '../../../cli/mtls-command.ts';
import { surveyStore } from '../../../cli/survey.ts';
import { renderCheck } from '../../../render/check.ts';

export default class ConfigCheck extends MtlsCommand {
  static override summary = 'Judge the mTLS settings of the Configuration, token validators included.';
  static override description =
    `Tells what check finds of the Configuration alone: a clock skew that has every sidecar renew without a pause, certificates that would
outlive the issuer, token validators on which Sentry exits or by which nobody can join. docs/settings.md has them all.`;
  static override examples = [
    { description: 'The settings of the cluster', command: '<%= bin %> config check -k' },
    { description: 'Those of a directory', command: '<%= bin %> config check --dir certs' },
    {
      description: 'Only what is broken now makes the exit code 10',
      command: '<%= bin %> config check -k --fail-on error',
    },
  ];
  static override exitCodes = [3, 4, 5, 10];
  static override flags = { ...configFlag, ...storeFlags, ...atFlag, ...failOnFlag('warning') };

  override async run(): Promise<void> {
    const { flags } = await this.parse(ConfigCheck);
    const { stored, location, surroundings, daprVersion } = await surveyStore(flags, this.env);
    const options = { at: flags.at ?? this.now(), warnBeforeMs: defaultWarnBeforeMs, daprVersion };
    const report = keepConfigurationFindings(checkBundle(stored, location, surroundings, options));
    await this.emit(report, flags.format, (shown, terminal) =>
      renderCheck(shown, terminal, 'Sentry and its clients accept these settings'),
    );
    process.exitCode = exitCodeOfFindings(report, flags['fail-on']);
    this.streams.note(`Trust store: ${report.store.kind} ${report.store.name}\n`);
  }
}
