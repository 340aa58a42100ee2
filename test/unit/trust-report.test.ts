import { beforeAll, describe, expect, test } from 'vitest';
import type { AuditReport } from '../../src/app/audit/report.ts';
import { collectHoldings } from '../../src/app/trust-report/holdings.ts';
import type { TrustInput } from '../../src/app/trust-report/input.ts';
import { describeFailedSite, judgeSite, uniteSites } from '../../src/app/trust-report/judge.ts';
import { encodeCertificates } from '../../src/pki/encode.ts';
import { readCertificateFile, visibleCertificatesOf } from '../../src/pki/reading.ts';
import { fixtureInstant, readFixture, readForeignBundle } from '../support/fixtures.ts';
import { schemaViolations } from '../support/schema.ts';
import { sidecarPod } from '../support/sidecar-pods.ts';
import { clusterInput, directoryInput, fixtureFiles, judgement } from '../support/trust-inputs.ts';

const bridged = fixtureFiles('bridged');
const [newAnchor = Buffer.alloc(0), oldAnchor = Buffer.alloc(0)] = visibleCertificatesOf(
  readCertificateFile('anchors', readFixture('pki/bridged/ca.crt')),
).map((certificate) => encodeCertificates([certificate]));
const ledger = { namespace: 'billing', workload: { kind: 'StatefulSet', name: 'ledger' } };

/** Two texts with the same anchors, two that lag behind, one stranger, and two that do not tell. */
const pods = [
  sidecarPod(bridged.anchors),
  sidecarPod(`${bridged.anchors}\n`),
  sidecarPod(newAnchor, ledger),
  sidecarPod(oldAnchor, ledger),
  sidecarPod(oldAnchor),
  sidecarPod(readForeignBundle('step').anchors, ledger),
  sidecarPod(undefined),
  sidecarPod('', ledger),
];

let cluster: TrustInput;
let audit: AuditReport;

beforeAll(async () => {
  cluster = await clusterInput('prod', bridged, pods);
  audit = (cluster.sidecars as { found: AuditReport }).found;
});

const closed = {
  code: 'cluster.forbidden',
  message: 'this user may not get secrets (403)',
  hint: 'Ask for the right.',
};

describe('who holds which anchors', () => {
  test('the gravest first, every sidecar in one of them', () => {
    const holdings = collectHoldings(audit);
    expect(holdings.map(({ state, sidecars, anchors }) => [state, sidecars, anchors.length])).toEqual([
      ['broken', 1, 1],
      ['stale', 2, 1],
      ['unknown', 2, 0],
      ['current', 2, 2],
      ['current', 1, 1],
    ]);
    expect(holdings.reduce((sum, { sidecars }) => sum + sidecars, 0)).toBe(audit.totals.sidecars);
    for (const { workloads, sidecars } of holdings)
      expect(workloads.reduce((sum, workload) => sum + workload.sidecars, 0)).toBe(sidecars);
  });

  test('those that do not tell are one, with all their reasons', () => {
    const unknown = collectHoldings(audit).find(({ state }) => state === 'unknown');
    expect(unknown?.reasons).toEqual(['daprd has no DAPR_TRUST_ANCHORS', 'DAPR_TRUST_ANCHORS is empty']);
    expect(unknown?.workloads).toEqual([
      { namespace: 'billing', kind: 'StatefulSet', name: 'ledger', sidecars: 1, of: 4 },
      { namespace: 'shop', kind: 'Deployment', name: 'checkout', sidecars: 1, of: 4 },
    ]);
  });
});

describe('a site', () => {
  test('has the findings of check and one for each state of its sidecars, errors first', () => {
    const { findings, summary, check, result } = judgeSite(cluster, judgement, 'never');
    const own = findings.filter(({ code }) => code.startsWith('sidecar.'));
    expect(own.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      'error sidecar.broken',
      'warning sidecar.stale',
      'warning sidecar.unknown',
    ]);
    expect(findings).toHaveLength((check?.findings.length ?? 0) + own.length);
    const ranks = findings.map(({ severity }) => ['error', 'warning', 'info'].indexOf(severity));
    expect(ranks).toEqual([...ranks].sort());
    expect(summary.error).toBe(1 + (check?.summary.error ?? 0));
    expect(result).toBe('error');
  });

  test('of a bundle that nobody verifies has that to say, and not of each sidecar', async () => {
    const late = { ...judgement, at: new Date('2040-01-01T00:00:00Z') };
    const { anchors, issuerChain } = bridged;
    const ended = await clusterInput('prod', { anchors, issuerChain, issuerKey: undefined }, pods);
    const problem = { ...audit, against: { ...audit.against, problem: 'certificate has expired' } };
    const { findings } = judgeSite({ ...ended, sidecars: { found: problem } }, late, 'never');
    expect(findings.map(({ code }) => code)).toContain('bundle.unverifiable');
    expect(findings.map(({ code }) => code)).not.toContain('sidecar.stale');
  });

  test('that is well says how long it lasts', () => {
    const site = judgeSite(directoryInput(fixtureFiles('sentry-1.17')), judgement, 'never');
    expect([site.result, site.verdict]).toEqual(['well', 'the root ends in 355 days, on 2027-11-22']);
  });

  test.each([
    ['2027-11-20T12:00:00Z', 'the root ends in 37 hours, on 2027-11-22', 'warning'],
    ['2027-11-22T00:30:00Z', 'the root ends in 0 hours, on 2027-11-22', 'warning'],
    ['2027-11-23T00:00:00Z', 'the root has ended on 2027-11-22; the issuer has ended on 2027-11-22', 'error'],
    ['2026-11-01T00:00:00Z', 'the root is not valid before 2026-11-22', 'error'],
  ])('as of %s: %s', (at, words, result) => {
    const site = judgeSite(directoryInput(fixtureFiles('sentry-1.17')), { ...judgement, at: new Date(at) }, 'never');
    expect(site.verdict).toContain(words);
    expect(site.result).toBe(result);
  });

  test('of whom the Secret and the pods are closed to is told the rest, and is not well', () => {
    const { anchors } = fixtureFiles('sentry-1.17');
    const open = directoryInput({ anchors, issuerChain: undefined, issuerKey: undefined });
    const site = judgeSite(
      {
        ...cluster,
        store: open.store,
        files: open.files,
        bundle: { refusal: closed },
        sidecars: { refusal: { ...closed, message: 'this user may not list pods (403)' } },
      },
      judgement,
      'warning',
    );
    expect(site.unread.map(({ part }) => part)).toEqual(['bundle', 'sidecars']);
    expect([site.check, site.audit, site.result, site.exitCode]).toEqual([null, null, 'warning', 10]);
    expect(site.inspect?.certificates).toHaveLength(1);
    expect(site.configuration?.settings.length).toBeGreaterThan(0);
    expect(site.verdict).toContain('not looked at: the bundle as a whole, the sidecars');
    expect(schemaViolations(uniteSites([site], fixtureInstant))).toEqual([]);
  });

  test('has one opinion of when an end is near', () => {
    const early = { ...judgement, warnBeforeMs: 400 * 86_400_000 };
    const { expiry, inspect, summary } = judgeSite(directoryInput(fixtureFiles('sentry-1.17')), early, 'never');
    expect(expiry?.certificates.map(({ status }) => status)).toEqual(['expiring', 'expiring']);
    expect(inspect?.certificates.map(({ status }) => status)).toEqual(['expiring', 'expiring']);
    expect(summary.warning).toBe(2);
  });

  test('without a root to tell the end of leaves that to the findings', () => {
    const { issuerChain, issuerKey } = fixtureFiles('sentry-1.17');
    const site = judgeSite(directoryInput({ ...fixtureFiles('step'), issuerChain, issuerKey }), judgement, 'error');
    expect(site.expiry).toBeNull();
    expect([site.result, site.exitCode]).toEqual(['error', 10]);
  });

  test('never holds the key', () => {
    const text = JSON.stringify(judgeSite(cluster, judgement, 'never'));
    const [, secret = ''] = String(bridged.issuerKey).split('\n');
    expect(secret.length).toBeGreaterThan(40);
    expect(text).not.toContain(secret);
    expect(text).not.toContain('PRIVATE KEY');
  });
});

describe('what a place leads to', () => {
  test.each([
    ['never', 0, 0, 0],
    ['warning', 0, 10, 10],
    ['error', 0, 0, 10],
  ] as const)('--fail-on %s', (failOn, well, warning, error) => {
    const sound = directoryInput(fixtureFiles('sentry-1.17'));
    const soon = { ...judgement, at: new Date('2027-11-01T00:00:00Z') };
    const late = { ...judgement, at: new Date('2028-01-01T00:00:00Z') };
    expect(judgeSite(sound, judgement, failOn).exitCode).toBe(well);
    expect(judgeSite(sound, soon, failOn).exitCode).toBe(warning);
    expect(judgeSite(sound, late, failOn).exitCode).toBe(error);
  });
});

test('many places: the worst first, and what failed with its mend', () => {
  const sound = judgeSite(directoryInput(fixtureFiles('sentry-1.17')), judgement, 'never');
  const well = ['b', 'a'].map((name) => ({ ...sound, name }));
  const broken = judgeSite(cluster, judgement, 'never');
  const failed = describeFailedSite('edge', 3, { code: 'cluster.unreachable', message: 'silence', hint: 'Look.' });
  const report = uniteSites([...well, broken, failed], fixtureInstant);
  expect(report.sites.map(({ name }) => name)).toEqual(['edge', 'prod', 'a', 'b']);
  expect(report.summary).toEqual({ well: 2, findings: 1, failed: 1 });
  expect([report.result, report.verdict]).toEqual([
    'failed',
    'Of 4 clusters 2 are well, 1 needs attention, 1 could not be looked at',
  ]);
  expect(schemaViolations(report)).toEqual([]);
});
