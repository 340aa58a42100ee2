import { describe, expect, test } from 'vitest';
import { reportMtlsState } from '../../src/app/mtls-state.ts';
import { reportStatus } from '../../src/app/status/report.ts';
import { renderBanner } from '../../src/render/banner.ts';
import { renderMtlsState } from '../../src/render/mtls-state.ts';
import { formatAge, renderStatus } from '../../src/render/status.ts';
import { renderYaml } from '../../src/render/yaml.ts';
import { readForeignBundle } from '../support/fixtures.ts';
import { expectGolden } from '../support/golden.ts';
import { schemaViolations } from '../support/schema.ts';
import {
  deployment,
  expiryFarOff,
  namespaceHolding,
  pod,
  replicaSet,
  statefulSet,
  statusInstant,
} from '../support/status-objects.ts';

const address = { context: 'kind-dapr', server: 'https://127.0.0.1:6443', namespace: undefined };
const { anchors, issuerChain } = readForeignBundle('sentry-1.17');
const data = { 'ca.crt': anchors.toString('base64'), 'issuer.crt': issuerChain.toString('base64') };
const found = <T>(object: T) => ({ presence: 'present' as const, object, refusal: undefined });
const secret = found({ metadata: { name: 'dapr-trust-bundle' }, data });

/** One of each: highly available, crashing behind an old pod, scaled to 0, missing, of another image. */
const status = reportStatus(
  namespaceHolding({
    workloads: [
      deployment('dapr-sentry', { replicas: 3 }),
      deployment('dapr-sidecar-injector', { replicas: 1 }),
      statefulSet('dapr-placement-server', 0, 'rev-1'),
      statefulSet('dapr-scheduler-server', 1, 'rev-1'),
    ],
    replicaSets: [
      replicaSet('dapr-sentry', 'a', 1),
      replicaSet('dapr-sidecar-injector', 'a', 1),
      replicaSet('dapr-sidecar-injector', 'b', 2),
    ],
    pods: [
      pod('dapr-sentry', { hash: 'a', mesh: true, created: '2026-11-22T00:54:55Z' }),
      pod('dapr-sentry', { hash: 'a', created: '2026-11-22T00:54:55Z' }),
      pod('dapr-sentry', { hash: 'a', created: '2026-11-22T00:54:55Z' }),
      pod('dapr-sidecar-injector', { hash: 'a' }),
      pod('dapr-sidecar-injector', {
        hash: 'b',
        ready: false,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        created: '2026-12-01T11:59:00Z',
      }),
      pod('dapr-scheduler-server', { revision: 'rev-1', version: '1.17.13-mariner' }),
    ],
    secret,
  }),
  address,
  statusInstant,
);
const configuration = found({ metadata: { name: 'daprsystem' }, spec: { mtls: { enabled: false } } });
const absent = { presence: 'absent', object: undefined, refusal: undefined } as const;
const mtls = reportMtlsState(
  { namespace: 'dapr-system', sentry: absent, configuration, secret },
  address,
  statusInstant,
);

test("the table is the official CLI's, in the reader's time zone", async () => {
  await expectGolden(
    'status.txt',
    renderStatus(status, () => -330),
  );
});

test.each([
  [true, 'mtls.enabled.txt'],
  [false, 'mtls.disabled.txt'],
])('mTLS enabled: %s', async (enabled, name) => {
  await expectGolden(name, renderMtlsState({ ...mtls, enabled }));
});

test.each([
  ['days', 'expiring', 2.6 * 86_400],
  ['today', 'expiring', 3600],
  ['expired', 'expired', -3600],
] as const)('the banner: %s', async (name, state, remainingSeconds) => {
  const root = { notAfter: '2022-04-04T15:01:03Z', remainingSeconds, status: state };
  await expectGolden(`banner.${name}.txt`, renderBanner(expiryFarOff({ root })));
});

describe('documents', () => {
  test.each([
    ['status', status],
    ['mtls', mtls],
    ['mtls.unchecked', { ...mtls, expiry: { checked: false, reason: 'may not', root: null, issuer: null } }],
  ])('%s is as the schema promises, as JSON and as YAML', async (name, report) => {
    expect(schemaViolations(report)).toEqual([]);
    await expectGolden(`${name}.json`, `${JSON.stringify(report, undefined, 2)}\n`);
    await expectGolden(`${name}.yaml`, renderYaml(report));
  });
});

test.each([
  [0, '0s'],
  [60, '60s'],
  [61, '1m'],
  [3600, '60m'],
  [3601, '1h'],
  [86_400, '24h'],
  [86_401, '1d'],
  [31_536_000, '365d'],
])('%d seconds are told as the official CLI does: %s', (seconds, age) => {
  expect(formatAge(seconds)).toBe(age);
});
