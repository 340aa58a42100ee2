import { describe, expect, test } from 'vitest';
import type { AlertThresholds } from '../../src/app/manifest/alert.ts';
import { makeAlertGroups } from '../../src/app/manifest/alerts.ts';
import { readAlertThresholds } from '../../src/cli/manifest-rule-input.ts';
import { renderFile } from '../../src/render/manifest.ts';
import { untouchedRuleFlags } from '../support/rule-flags.ts';
import { skippedWithoutGo } from './go-judge.ts';
import { findGo } from './go-program.ts';
import { buildPromtool } from './promtool.ts';

const usual = readAlertThresholds(untouchedRuleFlags);
const day = 86_400;

/** Series by their names and values in the notation of promtool, a value a minute; undefined: there is none. */
type World = Readonly<Record<string, string | undefined>>;

const watcher = 'instance="dapr-system/dapr-mtls-watch"';
const root = `dapr_mtls_certificate_expiry_timestamp_seconds{role="root",fingerprint="r",subject="CN=root",${watcher},pod="a"}`;
const issuer = `dapr_mtls_certificate_expiry_timestamp_seconds{role="issuer",fingerprint="i",subject="CN=issuer",${watcher},pod="a"}`;
const sidecars = (state: string) => `dapr_mtls_sidecars{state="${state}",${watcher},pod="a"}`;
const readByWatch = `dapr_mtls_last_successful_read_timestamp_seconds{command="watch",${watcher},pod="a"}`;
const readByFile = 'dapr_mtls_last_successful_read_timestamp_seconds{command="expiry",instance="host:9100"}';
const leads = (pod: string) => `dapr_mtls_watch_leader{${watcher},pod="${pod}"}`;
const cronjob = 'namespace="dapr-system",cronjob="dapr-mtls-audit",instance="ksm:8080"';
const scheduled = `kube_cronjob_status_last_schedule_time{${cronjob}}`;
const succeeded = `kube_cronjob_status_last_successful_time{${cronjob}}`;
const failedJob = (name: string) =>
  `kube_job_failed{namespace="dapr-system",job_name="${name}-29399520",condition="true",instance="ksm:8080"}`;
const always = (value: number) => `${value}x4000`;

/** Two replicas, a collector's file, a CronJob, several contexts, and things that are no reason to wake anybody. */
const well: World = {
  [root]: always(400 * day),
  [root.replace('pod="a"', 'pod="b"')]: always(400 * day),
  [issuer]: always(90 * day),
  [issuer.replace('pod="a"', 'pod="b"')]: always(90 * day),
  // An old anchor that nobody needs has ended.
  [root.replace('role="root"', 'role="anchor"')]: always(60),
  [sidecars('current')]: always(10),
  [sidecars('stale')]: always(0),
  [sidecars('broken')]: always(0),
  [sidecars('unknown')]: always(0),
  [`dapr_mtls_findings{command="watch",severity="warning",code="owner.helm",${watcher},pod="a"}`]: always(1),
  [readByWatch]: '0+60x4000',
  [readByWatch.replace('pod="a"', 'pod="b"')]: '0+60x4000',
  [readByFile]: '0+60x4000',
  [leads('a')]: always(1),
  [leads('b')]: always(0),
  'dapr_mtls_cluster_read{context="shop",instance="host:9100"}': always(1),
  // Each hour, and done in a minute.
  [scheduled]: '0x59 3600x59 7200x59 10800x4000',
  [succeeded]: '60x60 3660x60 7260x60 10860x4000',
};

interface Scenario {
  readonly name: string;
  readonly changes: World;
  /** By the minute, the alerts that fire then: as a series of Prometheus, less what all of them bear. */
  readonly firing: Readonly<Record<string, readonly string[]>>;
  readonly thresholds?: Partial<AlertThresholds>;
}

const atWatcher = `${watcher},`;
const scenarios: readonly Scenario[] = [
  { name: 'all is well', changes: {}, firing: { '5m': [], '3h': [] } },
  { name: 'nothing of ours is there', changes: without(/./), firing: { '3h': [] } },
  { name: 'files of a collector alone', changes: without(/watch|kube_/), firing: { '3h': [], '2d': [] } },
  {
    name: 'the root ends in 29 days, and that is told once for two replicas',
    changes: { [root]: always(29 * day), [root.replace('pod="a"', 'pod="b"')]: always(29 * day) },
    firing: { '14m': [], '16m': [`{alertname="DaprTrustEndsSoon",severity="warning",${atWatcher}role="root"}`] },
  },
  {
    name: 'the issuer ends in six days: critical, and no warning beside it',
    changes: { [issuer]: always(6 * day) },
    firing: { '30m': [`{alertname="DaprTrustEndsSoon",severity="critical",${atWatcher}role="issuer"}`] },
  },
  {
    name: 'another threshold',
    changes: { [issuer]: always(6 * day) },
    thresholds: { warnBeforeSeconds: 5 * day, criticalBeforeSeconds: day },
    firing: { '30m': [] },
  },
  {
    name: 'the root ends, and a renewal comes two hours later',
    changes: {
      [root]: '3600x179 8640000x4000',
      [root.replace('pod="a"', 'pod="b"')]: '3600x179 8640000x4000',
    },
    firing: {
      '61m': [`{alertname="DaprTrustExpired",severity="critical",${atWatcher}role="root"}`],
      '181m': [],
    },
  },
  {
    name: 'one of several clusters',
    changes: {
      [root.replace('pod="a"', 'cluster="two"')]: always(10 * day),
      [root.replace('pod="a"', 'cluster="three"')]: always(100 * day),
    },
    firing: {
      '30m': [`{alertname="DaprTrustEndsSoon",severity="warning",cluster="two",${atWatcher}role="root"}`],
    },
  },
  {
    name: 'one of several contexts',
    changes: { [root.replace('pod="a"', 'context="shop"')]: always(10 * day) },
    firing: {
      '30m': [`{alertname="DaprTrustEndsSoon",severity="warning",context="shop",${atWatcher}role="root"}`],
    },
  },
  {
    name: 'an error is found',
    changes: {
      'dapr_mtls_findings{command="check",severity="error",code="cluster.mismatch",instance="h"}': always(1),
    },
    firing: {
      '3m': [],
      '6m': [
        '{alertname="DaprTrustFindings",severity="critical",command="check",code="cluster.mismatch",instance="h"}',
      ],
    },
  },
  {
    name: 'sidecars are stale for less than an hour, as in a rotation',
    changes: { [sidecars('stale')]: '7x50 0x4000' },
    firing: { '40m': [], '3h': [] },
  },
  {
    name: 'and for longer, over the restart of a replica',
    changes: { [sidecars('stale')]: '7x30 _x4000', [sidecars('stale').replace('pod="a"', 'pod="c"')]: '_x29 7x4000' },
    firing: { '50m': [], '62m': [`{alertname="DaprSidecarsStale",severity="warning",${atWatcher}state="stale"}`] },
  },
  {
    name: 'sidecars are broken',
    changes: { [sidecars('broken')]: always(1) },
    firing: { '4m': [], '6m': [`{alertname="DaprSidecarsBroken",severity="critical",${atWatcher}state="broken"}`] },
  },
  {
    name: "a collector's file is not written any more",
    changes: { [readByFile]: '0+60x30 1800x4000' },
    firing: {
      '80m': [],
      '97m': ['{alertname="DaprTrustNotRead",severity="warning",command="expiry",instance="host:9100"}'],
    },
  },
  {
    name: 'one replica reads no more, and the other does',
    changes: { [readByWatch]: '0+60x30 1800x4000' },
    firing: { '3h': [] },
  },
  {
    name: 'a watcher has never read anything',
    changes: without(/command="watch"/),
    firing: { '12m': [`{alertname="DaprTrustNeverRead",severity="warning",${watcher}}`] },
  },
  {
    name: 'a context that does not answer',
    changes: { 'dapr_mtls_cluster_read{context="far",instance="host:9100"}': always(0) },
    firing: { '31m': ['{alertname="DaprTrustClusterNotRead",severity="warning",context="far",instance="host:9100"}'] },
  },
  {
    name: 'the watcher goes',
    changes: { ...without(/mtls-watch"/), [leads('a')]: '1x60 _x4000', [readByWatch]: '0+60x60 _x4000' },
    firing: {
      '70m': [],
      '80m': [`{alertname="DaprTrustWatcherGone",severity="warning",${watcher}}`],
      '2d': [],
    },
  },
  {
    name: 'no watcher, where one is expected',
    changes: without(/mtls-watch"/),
    thresholds: { expectsWatcher: true },
    firing: { '11m': ['{alertname="DaprTrustWatcherGone",severity="warning"}'] },
  },
  {
    name: 'no replica leads',
    changes: { [leads('a')]: '1x10 0x4000' },
    firing: { '15m': [], '22m': [`{alertname="DaprTrustWatcherWithoutLeader",severity="warning",${watcher}}`] },
  },
  {
    name: 'the lead goes over',
    changes: { [leads('a')]: '1x10 0x4000', [leads('b')]: '0x12 1x4000' },
    firing: { '40m': [] },
  },
  {
    name: 'the last run of a CronJob has failed, and the next one has not',
    changes: { [succeeded]: '60x120 7260x4000', [scheduled]: '0x59 3600x59 7200x4000' },
    firing: {
      '70m': [],
      '80m': [
        '{alertname="DaprTrustCheckFailed",severity="warning",namespace="dapr-system",cronjob="dapr-mtls-audit"}',
      ],
      '130m': [],
    },
  },
  {
    name: 'a CronJob has never succeeded',
    changes: { [succeeded]: undefined, [failedJob('dapr-mtls-audit')]: always(1) },
    firing: {
      '16m': [
        '{alertname="DaprTrustCheckFailed",severity="warning",namespace="dapr-system",cronjob="dapr-mtls-audit"}',
      ],
    },
  },
  {
    name: 'a CronJob that failed yesterday has succeeded since',
    changes: { [failedJob('dapr-mtls-audit')]: always(1) },
    firing: { '3h': [] },
  },
  {
    name: 'kube-state-metrics tells of no successes',
    changes: { [succeeded]: undefined },
    firing: { '3h': [] },
  },
  {
    name: "somebody else's CronJob fails",
    changes: {
      [scheduled.replace('dapr-mtls-audit', 'backup')]: '3600x4000',
      [succeeded.replace('dapr-mtls-audit', 'backup')]: '0x4000',
      [failedJob('backup')]: always(1),
      [failedJob('not-dapr-mtls-audit')]: always(1),
    },
    firing: { '1h': [] },
  },
];

function without(pattern: RegExp): World {
  return Object.fromEntries(Object.keys(well).flatMap((name) => (pattern.test(name) ? [[name, undefined]] : [])));
}

/** A file of `promtool test rules`. */
function describeScenario({ changes, firing }: Scenario): object {
  const series = Object.entries({ ...well, ...changes }).flatMap(([name, values]) =>
    values === undefined ? [] : [{ series: name, values }],
  );
  return {
    rule_files: ['rules.yaml'],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: series.length > 0 ? series : [{ series: 'up', values: always(1) }],
        promql_expr_test: Object.entries(firing).map(([eval_time, alerts]) => ({
          expr: 'ALERTS{alertstate="firing"}',
          eval_time,
          exp_samples: alerts.map((labels) => ({
            labels: `ALERTS${labels.replace('{', '{alertstate="firing",')}`,
            value: 1,
          })),
        })),
      },
    ],
  };
}

const go = await findGo(process.env);

if (!go) {
  test.skip(skippedWithoutGo);
} else {
  const promtool = await buildPromtool(go);
  const testRules = (scenario: Scenario) =>
    promtool(['test', 'rules', 'test.yaml'], {
      'rules.yaml': renderFile({ groups: makeAlertGroups({ ...usual, ...scenario.thresholds }) }, 'text'),
      'test.yaml': describeScenario(scenario),
    });

  describe('promtool takes the rules', () => {
    test.each(['text', 'yaml', 'json'])('as %s', async (format) => {
      const groups = makeAlertGroups(usual);
      const { isContent, said } = await promtool(['check', 'rules', '--lint=all', '--lint-fatal', 'rules.yaml'], {
        'rules.yaml': renderFile({ groups }, format),
      });
      expect(isContent, said).toBe(true);
      expect(said).toContain(`SUCCESS: ${groups.flatMap(({ rules }) => rules).length} rules found`);
    });

    test('and refuses what is none', async () => {
      const [group] = makeAlertGroups(usual);
      const [rule] = group?.rules ?? [];
      const broken = { groups: [{ name: 'broken', rules: [{ ...rule, expr: `${rule?.expr} <` }] }] };
      expect((await promtool(['check', 'rules', 'rules.yaml'], { 'rules.yaml': broken })).isContent).toBe(false);
    });
  });

  describe('of the alerts fire, by the rule engine of Prometheus, those that should and no other, where', () => {
    test.each(scenarios)('$name', async (scenario) => {
      const { isContent, said } = await testRules(scenario);
      expect(isContent, said).toBe(true);
    });

    test('every one of them fires somewhere', () => {
      const fired = new Set(
        scenarios
          .flatMap(({ firing }) => Object.values(firing).flat())
          .map((labels) => /alertname="(\w+)"/.exec(labels)?.[1]),
      );
      const all = makeAlertGroups(usual).flatMap(({ rules }) => rules.map(({ alert }) => alert));
      expect([...new Set(all)].sort()).toEqual([...fired].sort());
    });

    test('and one that is not awaited is seen', async () => {
      const silent = { name: '', changes: { [root]: always(day) }, firing: { '30m': [] } };
      expect((await testRules(silent)).isContent).toBe(false);
    });
  });

  test('an alert says in a sentence what ends, where and when', async () => {
    const { isContent, said } = await promtool(['test', 'rules', 'test.yaml'], {
      'rules.yaml': { groups: makeAlertGroups(usual) },
      'test.yaml': {
        rule_files: ['rules.yaml'],
        evaluation_interval: '1m',
        tests: [
          {
            interval: '1m',
            input_series: [{ series: root.replace('pod="a"', 'cluster="shop"'), values: always(20 * day) }],
            alert_rule_test: [
              {
                eval_time: '20m',
                alertname: 'DaprTrustEndsSoon',
                exp_alerts: [
                  {
                    exp_labels: {
                      severity: 'warning',
                      role: 'root',
                      cluster: 'shop',
                      instance: 'dapr-system/dapr-mtls-watch',
                    },
                    exp_annotations: {
                      ...makeAlertGroups(usual)[0]?.rules[0]?.annotations,
                      summary: "Dapr's root certificate in shop (dapr-system/dapr-mtls-watch) ends in 19d 23h 40m 0s",
                    },
                  },
                ],
              },
            ],
          },
        ],
      },
    });
    expect(isContent, said).toBe(true);
  });
}
