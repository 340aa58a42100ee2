import * as Flags from '@oclif/core/flags';
import type { AlertThresholds } from '../app/manifest/alert.ts';
import { DaprMtlsError } from '../errors.ts';
import { labelFlag, nameFlag, nameOf, namespaceFlag } from './manifest-flags.ts';
import { secondsFlag } from './manifest-times.ts';

const ruleGroup = 'RULES';
const alertGroup = 'ALERTS';
const daySeconds = 86_400;

export const manifestRuleFlags = {
  plain: Flags.boolean({
    description: 'A file of rules for Prometheus itself and promtool, instead of an object for its operator.',
    helpGroup: ruleGroup,
  }),
  namespace: namespaceFlag({ description: 'Where the PrometheusRule is to live.', helpGroup: ruleGroup }),
  name: nameFlag({ description: 'The name of the PrometheusRule.', default: 'dapr-mtls', helpGroup: ruleGroup }),
  label: labelFlag({
    description:
      'A label of the PrometheusRule, such as the one by which the operator chooses; may be said several times.',
    helpGroup: ruleGroup,
  }),
  'warn-before': secondsFlag('warn-before', {
    description: 'Root or issuer end within this time: a warning (default 30d).',
    helpGroup: alertGroup,
  }),
  'critical-before': secondsFlag('critical-before', {
    description: 'And within this time: critical (default 7d, or a quarter of --warn-before where that is less).',
    helpGroup: alertGroup,
  }),
  'stale-for': secondsFlag('stale-for', {
    description:
      'Sidecars have been stale for so long: a warning (default 1h). During a rotation they are for a while.',
    helpGroup: alertGroup,
  }),
  'broken-for': secondsFlag('broken-for', {
    description: 'Sidecars verify none of their peers for so long: critical (default 5m).',
    helpGroup: alertGroup,
  }),
  'not-read-for': secondsFlag('not-read-for', {
    description:
      'Nothing was read for so long: a warning (default 1h). Longer than the longest pause between two reads.',
    helpGroup: alertGroup,
  }),
  'expect-watcher': Flags.boolean({
    description: 'Miss a watcher, too, that has never been there, or has been gone for more than a day.',
    helpGroup: alertGroup,
  }),
  'cronjob-name': Flags.custom<string>({
    description: 'What the names of the CronJobs of `manifest cronjob` begin with.',
    helpValue: 'NAME',
    default: 'dapr-mtls',
    helpGroup: alertGroup,
    parse: nameOf('cronjob-name'),
  })(),
};

export interface ManifestRuleFlags {
  /** Seconds, these five. */
  readonly 'warn-before': number | undefined;
  readonly 'critical-before': number | undefined;
  readonly 'stale-for': number | undefined;
  readonly 'broken-for': number | undefined;
  readonly 'not-read-for': number | undefined;
  readonly 'expect-watcher': boolean;
  readonly 'cronjob-name': string;
}

/** @throws DaprMtlsError `usage.invalid` for a warning that comes after what it warns of */
export function readAlertThresholds(flags: ManifestRuleFlags): AlertThresholds {
  const {
    'warn-before': warnBeforeSeconds = 30 * daySeconds,
    'critical-before': criticalBeforeSeconds = Math.min(7 * daySeconds, Math.floor(warnBeforeSeconds / 4)),
    'stale-for': staleForSeconds = 3600,
    'broken-for': brokenForSeconds = 300,
    'not-read-for': notReadForSeconds = 3600,
  } = flags;
  if (criticalBeforeSeconds >= warnBeforeSeconds) {
    throw new DaprMtlsError('usage.invalid', {
      message: '--critical-before is not shorter than --warn-before, so that nothing would be a warning',
      hint: 'Write a shorter one: --warn-before 30d --critical-before 7d.',
    });
  }
  return {
    warnBeforeSeconds,
    criticalBeforeSeconds,
    staleForSeconds,
    brokenForSeconds,
    notReadForSeconds,
    expectsWatcher: flags['expect-watcher'],
    cronJobName: flags['cronjob-name'],
  };
}
