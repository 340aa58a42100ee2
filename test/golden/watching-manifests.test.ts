import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { makeAlertGroups } from '../../src/app/manifest/alerts.ts';
import { type CronJobManifestWish, makeCronJobManifest } from '../../src/app/manifest/cron-job.ts';
import { makeDashboard, makeDashboardConfigMap } from '../../src/app/manifest/dashboard/dashboard.ts';
import { makeNetworkPolicy, policySubjects } from '../../src/app/manifest/network-policy.ts';
import type { ManifestObject } from '../../src/app/manifest/object.ts';
import { makePrometheusRule } from '../../src/app/manifest/prometheus-rule.ts';
import { makeWatchManifest, type WatchManifestWish } from '../../src/app/manifest/watch.ts';
import { readAlertThresholds } from '../../src/cli/manifest-rule-input.ts';
import { watchLeaseName } from '../../src/cli/watch/cluster-source.ts';
import { renderFile, renderManifest } from '../../src/render/manifest.ts';
import { expectGolden } from '../support/golden.ts';
import { untouchedRuleFlags } from '../support/rule-flags.ts';

const image = 'registry.example:5000/dapr-mtls:0.1.0';
const namespace = 'dapr-system';

const leastWatch: WatchManifestWish = {
  image,
  namespace,
  name: 'dapr-mtls-watch',
  replicas: 1,
  words: [],
  readsSecret: false,
  readsSidecars: false,
  serviceMonitor: undefined,
  hasScrapeAnnotations: false,
};
const usualWatch: WatchManifestWish = { ...leastWatch, replicas: 2, readsSidecars: true, hasScrapeAnnotations: true };
const wholeWatch: WatchManifestWish = {
  ...leastWatch,
  replicas: 3,
  words: ['--warn-at', '30d,20%', '--every', '10m'],
  readsSecret: true,
  readsSidecars: true,
  serviceMonitor: { labels: { release: 'kube-prometheus-stack' } },
};

const usualCronJob: CronJobManifestWish = {
  image,
  namespace,
  name: 'dapr-mtls',
  commands: ['expiry', 'audit'],
  schedule: '0 6 * * *',
  timeZone: undefined,
  failOn: 'warning',
  warnBefore: undefined,
};
const wholeCronJob: CronJobManifestWish = {
  ...usualCronJob,
  commands: ['expiry', 'audit', 'check'],
  schedule: '*/30 * * * mon-fri',
  timeZone: 'Europe/Berlin',
  failOn: 'error',
  warnBefore: '60d',
};

const thresholds = readAlertThresholds(untouchedRuleFlags);
const rule = makePrometheusRule({ name: 'dapr-mtls', namespace }, { release: 'kube-prometheus-stack' }, thresholds);
const configMap = makeDashboardConfigMap({ name: 'dapr-mtls-dashboard', namespace }, { grafana_dashboard: '1' });
const policies = policySubjects.flatMap((subject) =>
  makeNetworkPolicy({
    subject,
    namespace,
    name: 'dapr-mtls-watch',
    metricsFrom: subject === 'watch' ? 'monitoring' : undefined,
    apiServers: subject === 'cronjob' ? ['10.96.0.1/32', 'fd00::1/128'] : [],
  }),
);

const everything: readonly (readonly [string, readonly ManifestObject[]])[] = [
  ['manifest-watch.least', makeWatchManifest(leastWatch)],
  ['manifest-watch', makeWatchManifest(usualWatch)],
  ['manifest-watch.all', makeWatchManifest(wholeWatch)],
  ['manifest-cronjob', makeCronJobManifest(usualCronJob)],
  ['manifest-cronjob.all', makeCronJobManifest(wholeCronJob)],
  ['manifest-prometheus-rule', [rule]],
  ['manifest-grafana-dashboard', [configMap]],
  ['manifest-network-policy', policies],
];

describe('what watches a cluster is written', () => {
  test.each(everything)('%s: as YAML documents, or as one List', async (name, objects) => {
    await expectGolden(`${name}.yaml`, renderManifest(objects, 'text'));
    await expectGolden(`${name}.json`, renderManifest(objects, 'json'));
    const documents = parseAllDocuments(renderManifest(objects, 'yaml')).map((document) => document.toJS());
    expect(documents).toEqual(JSON.parse(JSON.stringify(objects)));
    expect(JSON.parse(renderManifest(objects, 'json')).items).toEqual(documents);
  });

  test('rules and dashboard also as files of their own programs', async () => {
    await expectGolden('rules.yaml', renderFile({ groups: makeAlertGroups(thresholds) }, 'text'));
    await expectGolden('dashboard.json', renderFile(makeDashboard(), 'json'));
    expect(JSON.parse((configMap.data as Record<string, string>)['dapr-mtls.json'] ?? '')).toEqual(makeDashboard());
  });
});

interface Rule {
  readonly kind: string;
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

function rulesOf(objects: readonly ManifestObject[]): Rule[] {
  return objects.flatMap(({ kind, rules = [] }) => (rules as Rule[]).map((one) => ({ ...one, kind: String(kind) })));
}

const onSecrets = (objects: readonly ManifestObject[]) =>
  rulesOf(objects).filter(({ resources }) => resources.some((resource) => ['secrets', '*'].includes(resource)));

describe('what watches may', () => {
  test.each([leastWatch, usualWatch])('read no Secret unless it is told to', (wish) => {
    expect(onSecrets(makeWatchManifest(wish))).toEqual([]);
  });

  test('read one Secret, and none but that', () => {
    const [only, ...others] = onSecrets(makeWatchManifest(wholeWatch));
    expect(others).toEqual([]);
    expect([only?.kind, only?.verbs, only?.resourceNames]).toEqual([
      'Role',
      ['get', 'list', 'watch'],
      ['dapr-trust-bundle'],
    ]);
  });

  test('do nothing outside of the namespace where it counts no sidecars', () => {
    expect(makeWatchManifest(leastWatch).filter(({ kind }) => String(kind).startsWith('Cluster'))).toEqual([]);
  });

  test('list pods everywhere for an audit alone, and read the Secret for a check alone', () => {
    const byCommand = (command: 'expiry' | 'audit' | 'check') =>
      rulesOf(makeCronJobManifest({ ...usualCronJob, commands: [command] })).map(({ kind, resources, verbs }) =>
        [kind, resources, verbs].flat().join(' '),
      );
    const common = ['Role configmaps get', 'Role deployments get', 'Role configurations get'];
    expect(byCommand('expiry')).toEqual(common);
    expect(byCommand('audit')).toEqual([...common, 'ClusterRole pods list']);
    expect(byCommand('check')).toEqual([...common, 'Role secrets get']);
  });

  test('change nothing but its own Lease and events', () => {
    const changes = rulesOf([...makeWatchManifest(wholeWatch), ...makeCronJobManifest(wholeCronJob)])
      .filter(({ verbs }) => verbs.some((verb) => !['get', 'list', 'watch'].includes(verb)))
      .map(({ resources, verbs, resourceNames }) => [resources, verbs, resourceNames ?? []].flat().join(' '));
    expect(changes).toEqual([`leases get patch ${watchLeaseName}`, 'leases create', 'events create patch']);
  });
});
