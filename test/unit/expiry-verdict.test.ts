import { describe, expect, test } from 'vitest';
import { type ExpiryReport, reportExpiry } from '../../src/app/expiry.ts';
import { exitCodeOfStatuses, expiryRemarks, expiryWarnings } from '../../src/app/expiry-verdict.ts';
import { observeExpiry } from '../../src/app/observation/observe-expiry.ts';
import { observeStatus } from '../../src/app/observation/observe-status.ts';
import { defaultWarnBeforeMs, document } from '../../src/app/report.ts';
import { renderExpiry } from '../../src/render/expiry.ts';
import type { StoreLocation } from '../../src/store/port.ts';
import { fixtureInstant, readForeignBundle } from '../support/fixtures.ts';

const names = { anchors: 'ca.crt', issuerChain: 'issuer.crt', issuerKey: 'issuer.key' };
const files = readForeignBundle('sentry-1.18');
const before = new Date('2020-01-01T00:00:00Z');
const after = new Date('2040-01-01T00:00:00Z');
const lastDays = new Date('2027-11-01T00:00:00Z');

function expiry(at: Date, kind: StoreLocation['kind'] = 'cluster'): ExpiryReport {
  return reportExpiry({ files, revision: '1', state: 'settled' }, { kind, name: 'dapr-system', names }, at);
}

/** The mends of root and issuer. */
function hintsOf(report: ExpiryReport): string[] {
  const { checks } = observeExpiry(report, defaultWarnBeforeMs);
  return checks.flatMap(({ findings }) =>
    findings.filter(({ severity }) => severity !== 'info').map(({ hint }) => hint),
  );
}

describe('before the beginning', () => {
  const report = expiry(before);

  test('the exit code is told why, also where silence was asked for', () => {
    expect(exitCodeOfStatuses(report, 'error')).toBe(10);
    expect(expiryWarnings(report)).toEqual([
      `Warning: the root certificate is not valid before ${report.root.notBefore}: check the clock`,
      `Warning: the issuer certificate is not valid before ${report.issuer?.notBefore}: check the clock`,
    ]);
    expect(new Set(hintsOf(report))).toEqual(
      new Set(['Check the clock of this machine and of the one that made the certificate.']),
    );
  });

  test('the verdict does not tell of an end that is far', () => {
    expect(observeExpiry(report, defaultWarnBeforeMs).verdict).toBe(
      `root is not valid before ${report.root.notBefore}, issuer is not valid before ${report.issuer?.notBefore}`,
    );
  });

  test("upstream's line stays as it is", () => {
    expect(renderExpiry(report, { isTty: false, columns: 80, colour: false })).toMatch(
      /^Root certificate expires in \d+ hours\. Expiry date: [^\n]+\n$/,
    );
  });
});

describe('after the end', () => {
  test('no call is promised to be spared', () => {
    const hint = 'Calls fail now. Renew at once, then restart Sentry and every sidecar: ';
    expect(hintsOf(expiry(after))).toEqual(Array(2).fill(`${hint}\`dapr-mtls renew-certificate -k\`.`));
    expect(hintsOf(expiry(after, 'directory'))).toEqual(Array(2).fill(`${hint}\`dapr-mtls renew-certificate\`.`));
  });

  test('that of the issuer is a warning, because the first line knows the root alone', () => {
    const report = { ...expiry(after), root: expiry(fixtureInstant).root };
    expect(expiryWarnings(report)).toEqual([expect.stringContaining('the issuer certificate has expired')]);
    expect(expiryRemarks(report).join('\n')).not.toContain('issuer');
  });
});

test('before the end there is a way that loses no call', () => {
  const report = expiry(lastDays);
  expect(expiryWarnings(report)).toEqual([]);
  expect(hintsOf(report)).toEqual(
    Array(2).fill('See how to renew it without losing a call: `dapr-mtls rotate plan -k`.'),
  );
});

test.each([
  ['expired', '`dapr-mtls renew-certificate -k`'],
  ['not-yet-valid', 'Check the clock'],
  ['expiring', '`dapr-mtls rotate plan -k`'],
] as const)('status tells the same mend of a root that is %s', (status, mend) => {
  const root = { notAfter: '2027-11-22T00:00:00Z', remainingSeconds: 0, status };
  const report = document('Status', {
    cluster: { context: 'prod', server: 'https://127.0.0.1:6443', namespace: 'dapr-system' },
    at: '2027-01-01T00:00:00Z',
    services: [],
    expiry: { checked: true, reason: null, root, issuer: null },
    unread: [],
  });
  const [hint] = observeStatus(report).checks.flatMap(({ findings }) => findings.map((finding) => finding.hint));
  expect(hint).toContain(mend);
});
