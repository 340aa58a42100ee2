import { describe, expect, test } from 'vitest';
import { assertLeavesEndBeforeIssuer } from '../../src/app/configuration/assert-lifetime.ts';
import { changeConfiguration } from '../../src/app/configuration/change.ts';
import { parseSetting } from '../../src/app/configuration/document.ts';
import { formatGoDuration, parseGoDuration } from '../../src/app/configuration/duration.ts';
import { describeFollowers, servicesThatRead } from '../../src/app/configuration/followers.ts';
import { readTokenValidators } from '../../src/app/configuration/validators.ts';
import { DaprMtlsError } from '../../src/errors.ts';
import { dayMs, makeBundle } from '../support/bundles.ts';

function refusalOf(act: () => unknown): { code: string; message: string; hint: string } | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (!(error instanceof DaprMtlsError)) throw error;
    return { code: error.code, message: error.message, hint: error.hint };
  }
}

function change(...assignments: string[]) {
  return changeConfiguration('config.yaml', undefined, assignments.map(parseSetting), ' -k');
}

describe('a clock skew as long as the life of certificates', () => {
  test.each([
    ["the documentation's example", ['workloadCertTTL=25s'], 'workloadCertTTL=25s allowedClockSkew=5s'],
    ['a skew alone', ['allowedClockSkew=24h'], 'workloadCertTTL=120h allowedClockSkew=24h'],
    ['both', ['workloadCertTTL=1h', 'allowedClockSkew=1h'], 'workloadCertTTL=1h allowedClockSkew=12m'],
    ['the shortest life', ['workloadCertTTL=2s'], 'workloadCertTTL=2s allowedClockSkew=1s'],
  ])('%s is refused with a pair that is taken', (_, assignments, mend) => {
    const refusal = refusalOf(() => change(...assignments));
    expect(refusal).toMatchObject({ code: 'usage.invalid', hint: expect.stringContaining(`config set ${mend} -k`) });
    expect(change(...mend.split(' ')).text).toContain('workloadCertTTL');
  });

  test('a skew that is shorter is taken', () => {
    expect(change('workloadCertTTL=15m1s').settings).toMatchObject({ workloadCertTtlMs: 901_000 });
  });
});

describe('a value that is none', () => {
  test.each<readonly [string, RegExp]>([
    ['enabled=yes', /true or false/],
    ['workloadCertTTL=1d', /as Go does/],
    ['controlPlaneTrustDomain=Bad_Domain', /lower-case letters/],
    [`controlPlaneTrustDomain=${'a'.repeat(256)}`, /lower-case letters/],
    ...['foo', 'foo:', 'foo:0', 'foo:65536', ':443', 'http://foo:443', '::1:443', 'foo bar:443'].map(
      (address) => [`sentryAddress=${address}`, /host:port/] as const,
    ),
  ])('%s is refused with the form of one', (assignment, hint) => {
    expect(refusalOf(() => parseSetting(assignment))).toMatchObject({
      code: 'usage.invalid',
      hint: expect.stringMatching(hint),
    });
  });

  test.each(['foo:443', 'dapr-sentry.dapr-system.svc:65535', '[::1]:50001', '127.0.0.1:1', 'dns:///foo:443'])(
    'sentryAddress=%s is one',
    (address) => {
      expect(parseSetting(`sentryAddress=${address}`).value).toBe(address);
    },
  );

  test('a name that every object has is no setting', () => {
    expect(refusalOf(() => parseSetting('constructor=1'))?.message).toBe('"constructor=1" is not a setting');
  });
});

describe('a file in which', () => {
  const set = (text: string, ...assignments: string[]) =>
    changeConfiguration('c.yaml', text, assignments.map(parseSetting), '');

  test('all stands already is not changed, however it is written', () => {
    const text = 'spec:\n    mtls: {workloadCertTTL: "24h",   enabled: true} # mine\n';
    expect(set(text, 'workloadCertTTL=24h', 'enabled=true').isChanged).toBe(false);
    expect(set(text, 'workloadCertTTL=24h', 'enabled=false').isChanged).toBe(true);
    expect(set(text, 'allowedClockSkew=15m').isChanged).toBe(true);
    expect(change('workloadCertTTL=24h').isChanged).toBe(true);
  });

  test.each([
    ['spec: # why\n', 'spec:\n  # why\n  mtls:\n    enabled: true\n'],
    ['spec:\n  mtls: # why\n  x: 1\n', 'spec:\n  mtls:\n    # why\n    enabled: true\n  x: 1\n'],
    ['', 'spec:\n  mtls:\n    enabled: true\n'],
  ])('nothing stands behind a name gets it there: %j', (text, written) => {
    expect(set(text, 'enabled=true').text).toBe(written);
  });

  test.each([
    ['spec: foo\n', 'spec is'],
    ['spec: []\n', 'spec is'],
    ['spec:\n  mtls: 3\n', 'spec.mtls is'],
    ['a: &a {}\nspec:\n  mtls: *a\n', 'spec.mtls is'],
  ])('something else stands there is refused: %j', (text, what) => {
    expect(refusalOf(() => set(text, 'enabled=true'))).toMatchObject({
      code: 'file.io',
      message: `c.yaml is not a Configuration: ${what} not a mapping of its own`,
    });
  });
});

describe('certificates that would outlive the issuer', async () => {
  const at = new Date('2027-01-01T00:00:00Z');
  const { files } = await makeBundle({ at, issuerValidMs: 10 * dayMs });
  const judge = (workloadCertTtlMs: number, instant = at) =>
    refusalOf(() => assertLeavesEndBeforeIssuer({ workloadCertTtlMs }, files.issuerChain, instant, ' --dir certs'));

  test('are refused, with how long they may live', () => {
    expect(judge(10 * dayMs)).toBeUndefined();
    expect(judge(10 * dayMs + 1)).toMatchObject({
      code: 'usage.invalid',
      message: expect.stringContaining('2027-01-11T00:00:00Z'),
      hint: expect.stringMatching(/renew-certificate --dir certs`; or choose at most 240h\./),
    });
  });

  test('under an issuer that has ended no life is short enough', () => {
    expect(judge(1000, new Date('2027-02-01T00:00:00Z'))?.message).toMatch(/has ended at 2027-01-11/);
  });

  test('without an issuer there is nothing to judge', () => {
    expect(
      refusalOf(() => assertLeavesEndBeforeIssuer({ workloadCertTtlMs: dayMs }, undefined, at, '')),
    ).toBeUndefined();
  });
});

test.each([
  [0, '0s'],
  [999, '0s'],
  [25_000, '25s'],
  [5_400_000, '1h30m'],
  [86_400_000, '24h'],
  [3_601_000, '1h1s'],
])('%i ms are written as %s, and read again', (ms, text) => {
  expect(formatGoDuration(ms)).toBe(text);
  expect(parseGoDuration(text)).toBe(ms - (ms % 1000));
});

test.each<[string, string[], string[], RegExp]>([
  ['the life of certificates', ['workloadCertTTL=1h', 'allowedClockSkew=5m'], ['dapr-sentry'], /^Restart Sentry: /],
  ['whether it is on', ['enabled=false'], [], /^Sidecars are told/],
  [
    'an address',
    ['sentryAddress=x:443', 'workloadCertTTL=1h'],
    ['dapr-sentry', 'dapr-sidecar-injector'],
    /^Restart the control plane: .*\nSidecars/,
  ],
])('who follows: %s', (_, assignments, services, remarks) => {
  const settings = assignments.map(parseSetting);
  expect(
    servicesThatRead(settings)
      .map(({ name }) => name)
      .slice(0, 2),
  ).toEqual(services);
  expect(describeFollowers(settings, false).join('\n')).toMatch(remarks);
  expect(describeFollowers(settings, true).join('\n')).not.toMatch(/^Restart/);
});

describe('token validators', () => {
  test.each([
    [undefined, []],
    ['jwks', []],
    [
      [{ name: 'jwks', options: { source: 'https://user:word@keys.example/jwks' } }],
      [{ name: 'jwks', source: 'https://keys.example/jwks' }],
    ],
    [[{ name: 'jwks', options: { source: './keys.json' } }], [{ name: 'jwks', source: './keys.json' }]],
    [[{ name: 'jwks', options: { source: 'eyJrZXlzIjpbXX0=' } }], [{ name: 'jwks', source: 'inline' }]],
    [[{ name: 'jwks', options: { source: '{"keys":[]}' } }], [{ name: 'jwks', source: 'inline' }]],
    [
      [null, 'x', { name: 3 }],
      [{ name: '' }, { name: '' }, { name: '' }],
    ],
  ])('%j', (value, validators) => {
    expect(readTokenValidators(value)).toEqual(validators.map((validator) => ({ source: undefined, ...validator })));
  });
});
