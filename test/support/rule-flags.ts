/** The flags of `mtls manifest prometheus-rule` where none is given. */
export const untouchedRuleFlags = {
  'warn-before': undefined,
  'critical-before': undefined,
  'stale-for': undefined,
  'broken-for': undefined,
  'not-read-for': undefined,
  'expect-watcher': false,
  'cronjob-name': 'dapr-mtls',
};
