import { describe, expect, test } from 'vitest';
import { type ClusterOutcome, exitCodeOfClusters, reportClusters } from '../../src/app/clusters/report.ts';
import { reportExpiry } from '../../src/app/expiry.ts';
import { observe } from '../../src/app/observation/observe.ts';
import { observeClusters } from '../../src/app/observation/observe-clusters.ts';
import { defaultWarnBeforeMs } from '../../src/app/report.ts';
import { renderClusters } from '../../src/render/clusters.ts';
import { fixtureInstant, readFixture } from '../support/fixtures.ts';
import { expectGolden } from '../support/golden.ts';
import { schemaViolations } from '../support/schema.ts';

const location = {
  kind: 'cluster' as const,
  name: 'dapr-system',
  names: { anchors: 'ca.crt', issuerChain: 'issuer.crt', issuerKey: 'issuer.key' },
};
const files = {
  anchors: readFixture('pki/bridged/ca.crt'),
  issuerChain: readFixture('pki/bridged/issuer.crt'),
  issuerKey: undefined,
};

function found(context: string, at: Date, exitCode = 0): ClusterOutcome {
  const report = reportExpiry({ files, revision: '1', state: 'settled' }, location, at, defaultWarnBeforeMs);
  return { context, exitCode, report };
}

function failed(context: string, exitCode: number, code = 'cluster.unreachable'): ClusterOutcome {
  return { context, exitCode, error: { code, message: `${context} does not answer`, hint: 'Look.' } };
}

const soon = new Date('2027-11-01T00:00:00Z');
const late = new Date('2040-01-01T00:00:00Z');
const outcomes = [
  found('b-well', fixtureInstant),
  found('c-ended', late, 10),
  failed('d-away', 3),
  found('a-well', fixtureInstant),
  found('e-soon', soon, 10),
  failed('f-ambiguous', 2, 'dapr.ambiguous'),
  failed('g-empty', 5, 'dapr.missing'),
];
const report = reportClusters('expiry', outcomes, defaultWarnBeforeMs);

test('the worst come first', () => {
  expect(report.clusters.map(({ context, result }) => [context, result])).toEqual([
    ['d-away', 'failed'],
    ['g-empty', 'failed'],
    ['f-ambiguous', 'failed'],
    ['c-ended', 'error'],
    ['e-soon', 'warning'],
    ['a-well', 'well'],
    ['b-well', 'well'],
  ]);
  expect(report.summary).toEqual({ well: 2, findings: 2, failed: 3 });
  expect(schemaViolations(report)).toEqual([]);
});

describe('the exit code of all of them', () => {
  test.each([
    [[], 0],
    [[0, 0], 0],
    [[0, 10], 10],
    [[10, 5], 5],
    [[10, 5, 4], 4],
    [[10, 5, 4, 3], 3],
    [[10, 5, 4, 3, 1], 1],
    [[0, 2], 2],
    [[10, 2], 10],
  ])('%j: %i', (codes, exitCode) => {
    const clusters = reportClusters(
      'expiry',
      codes.map((code, index) => (code === 0 ? found(`c${index}`, fixtureInstant) : failed(`c${index}`, code))),
      0,
    );
    expect(exitCodeOfClusters(clusters)).toBe(exitCode);
  });
});

test('as text, for a pipe and a narrow terminal', async () => {
  await expectGolden('clusters.txt', renderClusters(report, { isTty: false, columns: 80, colour: false }));
  await expectGolden('clusters.terminal.txt', renderClusters(report, { isTty: true, columns: 80, colour: true }));
});

test('mends are told once each, and more closely is looked only at what was found', () => {
  const pipe = { isTty: false, columns: 80, colour: false };
  const aim = { kubeconfig: 'my config', namespace: 'dapr' };
  const away = reportClusters('expiry', [failed('a', 3), failed('b', 3)], defaultWarnBeforeMs);
  expect(renderClusters(away, pipe, aim)).toMatch(/\n2 clusters: 0 well, 0 with findings, 2 failed\na, b: Look\.\n$/);
  const ended = reportClusters('expiry', [found('c', late, 10)], defaultWarnBeforeMs);
  expect(renderClusters(ended, pipe, aim)).toMatch(
    /\nMore closely: dapr-mtls expiry -k --context NAME --kubeconfig 'my config' -n dapr\n$/,
  );
});

test('one is told as one', () => {
  const verdictOf = (...some: ClusterOutcome[]) =>
    observeClusters(reportClusters('expiry', some, defaultWarnBeforeMs), (one) => observe(one, defaultWarnBeforeMs));
  const [well, ended] = outcomes as [ClusterOutcome, ClusterOutcome];
  expect(verdictOf(well, ended).verdict).toBe('1 cluster is well, 1 has findings, 0 could not be looked at');
  expect(verdictOf(ended)).toMatchObject({
    place: '1 cluster',
    verdict: expect.stringMatching(/^0 clusters are well/),
  });
  const alone = reportClusters('expiry', [well], defaultWarnBeforeMs);
  expect(renderClusters(alone, { isTty: false, columns: 80, colour: false })).toMatch(/\n1 cluster: 1 well, /);
});

test('as one observation, in which everything bears its context', () => {
  const { checks, metrics, verdict } = observeClusters(report, (one) => observe(one, defaultWarnBeforeMs));
  expect(verdict).toBe('2 clusters are well, 2 have findings, 3 could not be looked at');
  expect(checks.every(({ name }) => /^[a-g]-[a-z]+: /.test(name))).toBe(true);
  expect(metrics.flatMap(({ samples }) => samples).every(({ labels }) => 'context' in labels)).toBe(true);
  expect(new Set(metrics.map(({ name }) => name)).size).toBe(metrics.length);
  expect(metrics[0]?.samples.map(({ value }) => value)).toEqual([0, 0, 0, 1, 1, 1, 1]);
});
