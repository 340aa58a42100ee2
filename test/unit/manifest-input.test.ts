import { describe, expect, test } from 'vitest';
import { makeCronJobManifest } from '../../src/app/manifest/cron-job.ts';
import { isSchedule } from '../../src/app/manifest/schedule.ts';
import { manifestCronJobFlags, readCronJobManifestWish } from '../../src/cli/manifest-cronjob-input.ts';
import { labelFlag, readLabels } from '../../src/cli/manifest-flags.ts';
import { manifestPolicyFlags, readNetworkPolicyWish } from '../../src/cli/manifest-policy-input.ts';
import { manifestRuleFlags, readAlertThresholds } from '../../src/cli/manifest-rule-input.ts';
import { manifestWatchFlags, readWatchManifestWish } from '../../src/cli/manifest-watch-input.ts';
import { untouchedRuleFlags } from '../support/rule-flags.ts';

const refused = expect.objectContaining({ code: 'usage.invalid', hint: expect.stringMatching(/\w/) });
/** As oclif calls it, less what none of these look at. */
const parse = (flag: { readonly parse: unknown }, text: string) =>
  (flag.parse as (text: string) => Promise<unknown>)(text);

describe('a schedule', () => {
  test.each([
    '0 6 * * *',
    '*/30 * * * *',
    '0-30/10 1,2,23 1-15 jan-MAR mon-fri',
    '0 0 ? * Sun',
    '5/20 * * * *',
    ' 0  6 * * 1 ',
    '@hourly',
    '@every 1h30m',
  ])('%j is one of Kubernetes', (text) => {
    expect(isSchedule(text)).toBe(true);
  });

  test.each([
    '',
    'daily',
    '@often',
    '* * * *',
    '* * * * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * * 13 *',
    '* * * * 7',
    '10-5 * * * *',
    '*/0 * * * *',
    '1,,2 * * * *',
    '-5 * * * *',
    '1-2-3 * * * *',
    '*/5/5 * * * *',
    'TZ=Europe/Berlin 0 6 * * *',
    '@every tomorrow',
    '0 6 * * * # no comment',
  ])('%j is none', (text) => {
    expect(isSchedule(text)).toBe(false);
  });
});

describe('refused at the command line, with a mend', () => {
  test.each([
    ['schedule', manifestCronJobFlags.schedule, '61 * * * *'],
    ['time-zone', manifestCronJobFlags['time-zone'], 'Berlin'],
    ['time-zone', manifestCronJobFlags['time-zone'], 'Local'],
    ['time-zone', manifestCronJobFlags['time-zone'], '+02:00'],
    ['warn-before', manifestCronJobFlags['warn-before'], 'soon'],
    ['name', manifestCronJobFlags.name, 'x'.repeat(46)],
    ['name', manifestWatchFlags.name, 'Watch'],
    ['namespace', manifestWatchFlags.namespace, 'a/b'],
    ['image', manifestWatchFlags.image, '-x y'],
    ['warn-at', manifestWatchFlags['warn-at'], '30d;20%'],
    ['warn-at', manifestWatchFlags['warn-at'], '120%'],
    ['every', manifestWatchFlags.every, '0s'],
    ['every', manifestWatchFlags.every, '5'],
    ['label', manifestWatchFlags.label, 'release'],
    ['label', manifestWatchFlags.label, 'a b=c'],
    ['label', manifestRuleFlags.label, `release=${'x'.repeat(64)}`],
    ['stale-for', manifestRuleFlags['stale-for'], '-1h'],
    ['stale-for', manifestRuleFlags['stale-for'], '0.1s'],
    ['cronjob-name', manifestRuleFlags['cronjob-name'], 'a.*'],
    ['from-namespace', manifestPolicyFlags['from-namespace'], 'Monitoring'],
    ['api-server', manifestPolicyFlags['api-server'], '10.0.0.1'],
    ['api-server', manifestPolicyFlags['api-server'], '10.0.0.1/33'],
    ['api-server', manifestPolicyFlags['api-server'], 'fd00::1/129'],
    ['api-server', manifestPolicyFlags['api-server'], '10.0.0.0/8/8'],
  ])('--%s %#', async (name, flag, text) => {
    await expect(parse(flag, text)).rejects.toThrow(refused);
    await expect(parse(flag, text)).rejects.toThrow(`--${name}`);
  });

  test.each([
    ['time-zone', manifestCronJobFlags['time-zone'], 'Europe/Berlin', 'Europe/Berlin'],
    ['time-zone', manifestCronJobFlags['time-zone'], 'Etc/GMT+2', 'Etc/GMT+2'],
    ['warn-at', manifestWatchFlags['warn-at'], '30d,20%', '30d,20%'],
    ['every', manifestWatchFlags.every, '10m', '10m'],
    ['label', labelFlag({ description: '', helpGroup: '' }), 'example.org/team=a_b.c', 'example.org/team=a_b.c'],
    ['label', labelFlag({ description: '', helpGroup: '' }), 'empty=', 'empty='],
    ['stale-for', manifestRuleFlags['stale-for'], '1d', 86_400],
    ['api-server', manifestPolicyFlags['api-server'], 'fd00::/8', 'fd00::/8'],
  ])('--%s %# is taken', async (_, flag, text, value) => {
    expect(await parse(flag, text)).toBe(value);
  });
});

const watch = {
  image: 'x',
  namespace: 'dapr-system',
  name: 'w',
  replicas: 2,
  'warn-at': undefined,
  every: undefined,
  'read-secret': false,
  'no-sidecars': false,
  'service-monitor': false,
  label: [],
  'scrape-annotations': false,
};

describe('the wishes for a watcher', () => {
  test('are those of `watch`', () => {
    const wish = readWatchManifestWish({ ...watch, 'warn-at': '30d', every: '10m', 'no-sidecars': true });
    expect(wish.words).toEqual(['--warn-at', '30d', '--every', '10m']);
    expect(wish.readsSidecars).toBe(false);
    expect(readWatchManifestWish(watch).words).toEqual([]);
  });

  test('are refused where a label would be borne by nothing', () => {
    expect(() => readWatchManifestWish({ ...watch, label: ['a=b'] })).toThrow(refused);
    const wish = readWatchManifestWish({ ...watch, label: ['a=b', 'c='], 'service-monitor': true });
    expect(wish.serviceMonitor).toEqual({ labels: { a: 'b', c: '' } });
  });
});

test('a label is cut where its key ends', () => {
  expect(readLabels(['release=kube-prometheus-stack'])).toEqual({ release: 'kube-prometheus-stack' });
});

const cronJob = {
  image: 'x',
  namespace: 'dapr-system',
  name: 'dapr-mtls',
  schedule: '@daily',
  'time-zone': undefined,
  command: ['check', 'expiry', 'check'] as const,
  'fail-on': 'error',
  'warn-before': '60d',
};

test('a command is scheduled once, and gets the words that it knows', () => {
  const wish = readCronJobManifestWish({ ...cronJob, command: ['check', 'audit', 'check'] });
  const jobs = makeCronJobManifest(wish).filter(({ kind }) => kind === 'CronJob') as unknown as CronJob[];
  expect(jobs.map(({ spec }) => spec.jobTemplate.spec.template.spec.containers[0]?.args.join(' '))).toEqual([
    'mtls audit -k --namespace dapr-system --fail-on error',
    'mtls check -k --namespace dapr-system --fail-on error --warn-before 60d',
  ]);
});

interface CronJob {
  readonly spec: {
    readonly jobTemplate: {
      readonly spec: { readonly template: { readonly spec: { readonly containers: { args: string[] }[] } } };
    };
  };
}

test('a warning comes before what it warns of', () => {
  const day = 86_400;
  expect(() => readAlertThresholds({ ...untouchedRuleFlags, 'critical-before': 31 * day })).toThrow(refused);
  expect(() => readAlertThresholds({ ...untouchedRuleFlags, 'warn-before': day, 'critical-before': day })).toThrow(
    refused,
  );
  expect(readAlertThresholds({ ...untouchedRuleFlags, 'warn-before': 4 * day }).criticalBeforeSeconds).toBe(day);
  expect(readAlertThresholds(untouchedRuleFlags)).toMatchObject({
    warnBeforeSeconds: 30 * day,
    criticalBeforeSeconds: 7 * day,
  });
});

const policy = {
  for: 'watch' as const,
  namespace: 'dapr-system',
  name: 'w',
  'from-namespace': undefined,
  'api-server': [],
};

test('a policy takes no word that it has no use for', () => {
  expect(() => readNetworkPolicyWish({ ...policy, for: 'sentry', 'from-namespace': 'monitoring' })).toThrow(refused);
  expect(() => readNetworkPolicyWish({ ...policy, for: 'sentry', 'api-server': ['10.0.0.1/32'] })).toThrow(refused);
  expect(readNetworkPolicyWish({ ...policy, 'from-namespace': 'monitoring' }).metricsFrom).toBe('monitoring');
});
