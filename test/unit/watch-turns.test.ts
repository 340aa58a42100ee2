import { beforeAll, describe, expect, test } from 'vitest';
import type { Sight } from '../../src/app/watch/ports.ts';
import { mergeReports, type WatchReport } from '../../src/app/watch/report.ts';
import type { Effect, Happening } from '../../src/app/watch/watch.ts';
import { finding } from '../../src/pki/rules/finding.ts';
import { dayMs, type MadeBundle, makeBundle } from '../support/bundles.ts';
import { readFixture } from '../support/fixtures.ts';
import { schemaViolations } from '../support/schema.ts';
import { linesOf, momentAt, sidecarsOf, sightOf, startWatch } from '../support/watch-world.ts';

const begin = new Date('2026-12-01T12:00:00Z');
const hourMs = 3_600_000;
let old: MadeBundle;
let other: MadeBundle;

beforeAll(async () => {
  [old, other] = await Promise.all([makeBundle({ at: begin }), makeBundle({ at: begin })]);
});

/** One look after the other, a second apart; what each has told. */
function tellOf(sights: readonly (Sight | Happening)[], watch = startWatch()): string[][] {
  return sights.map((step, index) => {
    const happening: Happening = 'kind' in step ? step : { kind: 'looked', sight: step };
    return linesOf(watch.turn(happening, momentAt(new Date(begin.getTime() + index * 1000))));
  });
}

const short = ({ bundle }: MadeBundle, part: 'root' | 'issuer') =>
  (part === 'root' ? bundle.anchors[0] : bundle.issuerChain[0])?.fingerprint.slice(0, 16);
const failed = (code: string): Happening => ({
  kind: 'failed',
  failure: { code, message: 'the API server does not answer', hint: 'Look at it.' },
});
const until = '(until 2027-12-01T12:00:00Z)';
const both = () => Buffer.concat([old.files.anchors, other.files.anchors]);

describe('changes, each told once', () => {
  test('the beginning, and then nothing', () => {
    expect(tellOf([sightOf(old.files), sightOf(old.files), { kind: 'passed' }])).toEqual([
      [
        'info: Watching the trust bundle of directory /srv/certs: root until 2027-12-01T12:00:00Z, issuer until 2027-12-01T12:00:00Z',
      ],
      [],
      [],
    ]);
  });

  test('another bundle', () => {
    const [, told, again] = tellOf([sightOf(old.files), sightOf(other.files), sightOf(other.files)]);
    expect(told).toEqual([
      `info: The root certificate was replaced: ${short(old, 'root')} ${until} by ${short(other, 'root')} ${until}; the old one is no anchor any more`,
      `info: The issuer certificate was replaced: ${short(old, 'issuer')} ${until} by ${short(other, 'issuer')} ${until}`,
    ]);
    expect(again).toEqual([]);
  });

  test('the three looks of a rotation: both anchors, the other issuer, one anchor', () => {
    const told = tellOf([
      sightOf(old.files),
      sightOf({ ...old.files, anchors: both() }),
      sightOf({ ...other.files, anchors: both() }),
      sightOf(other.files),
    ]);
    expect(told.slice(1)).toEqual([
      [`info: A trust anchor was added: ${short(other, 'root')} ${until}`],
      [
        `info: The root certificate was replaced: ${short(old, 'root')} ${until} by ${short(other, 'root')} ${until}; the old one is still an anchor`,
        `info: The issuer certificate was replaced: ${short(old, 'issuer')} ${until} by ${short(other, 'issuer')} ${until}`,
      ],
      [`info: A trust anchor was removed: ${short(old, 'root')} ${until}`],
    ]);
  });

  test('an issuer that is not seen for a while has not changed', () => {
    const blind = sightOf({ anchors: both() }, { unread: ['issuer: not checked, Sentry does not answer'] });
    const seen = sightOf({ ...old.files, anchors: both() });
    const told = tellOf([seen, blind, blind, seen, blind, sightOf({ ...other.files, anchors: both() })]);
    expect(told.slice(1, 5)).toEqual([
      ['info: issuer: not checked, Sentry does not answer'],
      [],
      ['info: No longer so: issuer: not checked, Sentry does not answer'],
      ['info: issuer: not checked, Sentry does not answer'],
    ]);
    expect(told[5]?.map((line) => line.replace(/ [0-9a-f]{16}.*/, ''))).toEqual([
      'info: The root certificate was replaced:',
      'info: The issuer certificate was replaced:',
      'info: No longer so: issuer: not checked, Sentry does not answer',
    ]);
  });

  test('the same refusal in other words is none', () => {
    const blind = (why: string) => sightOf(old.files, { unread: [`issuer: not checked, no answer (${why})`] });
    expect(
      tellOf([sightOf(old.files), blind('ECONNRESET'), blind('10.0.0.1: ETIMEDOUT'), sightOf(old.files)]).slice(1),
    ).toEqual([
      ['info: issuer: not checked, no answer (ECONNRESET)'],
      [],
      ['info: No longer so: issuer: not checked, no answer (10.0.0.1: ETIMEDOUT)'],
    ]);
  });

  test('sidecars: more of them behind, and all of them well, and not each that follows', () => {
    const counts = [
      [10, 0],
      [4, 6],
      [5, 5],
      [4, 6],
      [2, 8],
      [9, 1],
      [10, 0],
      [10, 0],
      [9, 1],
    ] as const;
    const told = tellOf(counts.map(([current, stale]) => sightOf(old.files, { sidecars: sidecarsOf(current, stale) })));
    const changes = told.map((lines) => lines.filter((line) => /^info: (\d|All)/.test(line)));
    expect(changes).toEqual([
      [],
      ['info: 6 of 10 sidecars lack a trust anchor that they need, 0 when it was told last'],
      [],
      [],
      ['info: 8 of 10 sidecars lack a trust anchor that they need, 6 when it was told last'],
      [],
      ['info: All 10 sidecars that can be judged hold the trust anchors that they need'],
      [],
      ['info: 1 of 10 sidecars lack a trust anchor that they need, 0 when it was told last'],
    ]);
  });

  test('sidecars that are all gone hold nothing', () => {
    const told = tellOf([sidecarsOf(0, 2), sidecarsOf(0, 0)].map((sidecars) => sightOf(old.files, { sidecars })));
    expect(told[1]).toEqual(['info: No sidecar that can be judged is left, so none lacks a trust anchor']);
  });

  test('sidecars that verify nobody, whatever they hold, are not told to hold too little', () => {
    const cutOff = (broken: number) => ({ ...sidecarsOf(0, 0, broken), problem: 'the issuer has ended' });
    const sights = [sidecarsOf(10, 0), cutOff(10), cutOff(11), sidecarsOf(9, 2), sidecarsOf(10, 1), sidecarsOf(11, 0)];
    const told = tellOf(sights.map((sidecars) => sightOf(old.files, { sidecars }))).map((lines) =>
      lines.filter((line) => line.includes('sidecar')),
    );
    const behind =
      'warning: Dapr sidecar warning: 2 of 11 sidecars lack a trust anchor that they need (2 stale, 0 broken): shop/Deployment/checkout. Re-create them: `dapr-mtls restart -k --apps`.';
    expect(told).toEqual([
      [],
      [
        'info: No sidecar verifies its peers any more, whatever it holds: the issuer has ended',
        'warning: Dapr sidecar warning: none of 10 sidecars verifies its peers, whatever it holds: the issuer has ended. The bundle comes first: `dapr-mtls check -k`.',
      ],
      [],
      ['info: 2 of 11 sidecars lack a trust anchor that they need, 0 when it was told last', behind],
      [],
      ['info: All 11 sidecars that can be judged hold the trust anchors that they need'],
    ]);
  });

  test('a finding is a warning when it comes, and a change when it goes', () => {
    const details = { subject: 'ca.crt', message: 'something odd', hint: 'Mend it.' };
    const odd = sightOf(old.files, { findings: [finding('pem.odd', details), finding('anchor.duplicate', details)] });
    expect(tellOf([sightOf(old.files), odd, odd, sightOf(old.files), odd]).slice(1)).toEqual([
      ['warning: ca.crt: something odd (pem.odd). Mend it.'],
      [],
      ['info: No longer so: ca.crt: something odd (pem.odd)'],
      ['warning: ca.crt: something odd (pem.odd). Mend it.'],
    ]);
  });

  test('what a message begins with is not said twice', () => {
    const details = { subject: 'issuer.key', message: 'issuer.key is encrypted', hint: 'Mend it.' };
    const sights = [sightOf(old.files, { findings: [finding('key.encrypted', details)] }), sightOf(old.files)];
    expect(tellOf(sights).map((lines) => lines.at(-1))).toEqual([
      'error: issuer.key is encrypted (key.encrypted). Mend it.',
      'info: No longer so: issuer.key is encrypted (key.encrypted)',
    ]);
  });
});

describe('warnings', () => {
  const linesAt = (instant: string, files: Parameters<typeof sightOf>[0], thresholds = '30d') =>
    linesOf(
      startWatch({ thresholds }).turn({ kind: 'looked', sight: sightOf(files) }, momentAt(new Date(instant))),
    ).filter((line) => !line.startsWith('info'));

  test.each([
    ['2027-11-01T11:59:59Z', []],
    [
      '2027-11-01T12:00:00Z',
      [
        'root certificate expiration warning: certificate expires in 30 days and 0 hours',
        'issuer certificate expiration warning: certificate expires in 30 days and 0 hours',
      ],
    ],
    [
      '2027-11-28T20:30:00Z',
      [
        'root certificate expiration warning: certificate expires in 2 days and 15 hours',
        'issuer certificate expiration warning: certificate expires in 2 days and 15 hours',
      ],
    ],
    [
      '2027-11-30T11:00:00Z',
      [
        'root certificate expiration warning: certificate expires in 1 days and 1 hours',
        'issuer certificate expiration warning: certificate expires in 1 days and 1 hours',
      ],
    ],
    [
      '2027-12-01T12:00:01Z',
      [
        'root certificate expiration warning: certificate has expired.',
        'issuer certificate expiration warning: certificate has expired.',
      ],
    ],
  ])("at %s, in the words of Dapr's documentation", (instant, words) => {
    expect(linesAt(instant, old.files)).toEqual(words.map((line) => `warning: Dapr ${line}`));
  });

  test('an only anchor is the root where the issuer was not seen, several are anchors each', () => {
    const at = '2027-11-28T20:30:00Z';
    const rest = 'expiration warning: certificate expires in 2 days and 15 hours';
    expect(linesAt(at, { anchors: old.files.anchors })).toEqual([`warning: Dapr root certificate ${rest}`]);
    expect(linesAt(at, { anchors: both() })).toEqual(
      [old, other].map((one) => `warning: Dapr trust anchor ${short(one, 'root')} ${rest}`),
    );
  });

  test('an anchor beside the root is told as ended once, and each hour where none is known to be the root', () => {
    const count = (files: Parameters<typeof sightOf>[0]) => {
      const watch = startWatch({ thresholds: '1h' });
      const at = (hours: number) => momentAt(new Date(Date.parse('2027-12-02T00:00:00Z') + hours * hourMs));
      watch.turn({ kind: 'looked', sight: sightOf(files) }, at(0));
      return linesOf(watch.turn({ kind: 'passed' }, at(1))).filter((line) => line.includes('trust anchor')).length;
    };
    expect(count({ ...old.files, anchors: both() })).toBe(0);
    expect(count({ anchors: both() })).toBe(2);
  });

  test('an issuer that is not shown any more is told on: its end is what keeps Sentry from it', () => {
    const watch = startWatch();
    const told = (instant: string, files: Parameters<typeof sightOf>[0]) =>
      linesOf(watch.turn({ kind: 'looked', sight: sightOf(files) }, momentAt(new Date(instant))))
        .filter((line) => line.startsWith('warning'))
        .map((line) => line.replace(/.*Dapr (.*) expiration warning: /, '$1 '));
    told('2027-10-01T00:00:00Z', { ...old.files, anchors: both() });
    const ended = 'certificate has expired.';
    const root = [`root certificate ${ended}`, `issuer certificate ${ended}`];
    expect(told('2027-12-02T00:00:00Z', { anchors: both() })).toEqual(expect.arrayContaining(root));
    expect(told('2027-12-02T01:00:00Z', { anchors: both() })).toEqual(root);
    expect(told('2027-12-02T01:00:01Z', { anchors: other.files.anchors })).toEqual([`root certificate ${ended}`]);
  });

  test('the same anchor twice is one', () => {
    const twice = Buffer.concat([old.files.anchors, old.files.anchors]);
    expect(linesAt('2027-11-28T20:30:00Z', { ...old.files, anchors: twice })).toHaveLength(2);
    expect(linesAt('2027-11-28T20:30:00Z', { anchors: twice })).toHaveLength(1);
  });

  test('a bridge bears its fingerprint', () => {
    const bridged = {
      anchors: readFixture('pki/bridged/ca.crt'),
      issuerChain: readFixture('pki/bridged/issuer.crt'),
    };
    const lines = linesAt('2026-12-01T12:00:00Z', bridged, '100%');
    expect(lines.filter((line) => /^warning: Dapr bridge certificate [0-9a-f]{16} expiration/.test(line))).toHaveLength(
      1,
    );
  });

  test('of sidecars, with no more names than a line holds, at once and each hour', () => {
    const watch = startWatch();
    const sight = sightOf(old.files, { sidecars: sidecarsOf(1, 2, 1) });
    const lines = [0, 1, hourMs - 1, hourMs].map((ms) =>
      linesOf(watch.turn({ kind: 'looked', sight }, momentAt(new Date(begin.getTime() + ms)))).filter((line) =>
        line.startsWith('warning'),
      ),
    );
    const line =
      'warning: Dapr sidecar warning: 3 of 4 sidecars lack a trust anchor that they need (2 stale, 1 broken): shop/Deployment/checkout. Re-create them: `dapr-mtls restart -k --apps`.';
    expect(lines).toEqual([[line], [], [], [line]]);
  });

  test('of sidecars, not to be re-created before the bundle is well', () => {
    const details = { subject: 'dapr-system/dapr-trust-bundle', message: 'they differ', hint: 'Unite them.' };
    const findings = [finding('root.expires-soon', details), finding('cluster.bundle-mismatch', details)];
    const sight = sightOf(old.files, { sidecars: sidecarsOf(1, 2, 1), findings });
    const lines = linesOf(startWatch().turn({ kind: 'looked', sight }, momentAt(begin)));
    expect(lines.filter((line) => line.includes('sidecar'))).toEqual([
      'warning: Dapr sidecar warning: 3 of 4 sidecars lack a trust anchor that they need (2 stale, 1 broken): shop/Deployment/checkout. Do not re-create them before cluster.bundle-mismatch is mended: `dapr-mtls check -k`.',
    ]);
  });

  test('a grave finding each hour, and what is said of ends by the rules not at all', () => {
    const details = { subject: 'dapr-system/dapr-trust-bundle', message: 'they differ', hint: 'Unite them.' };
    const findings = [finding('cluster.bundle-mismatch', details), finding('root.expires-soon', details)];
    const watch = startWatch();
    const tell = (ms: number) =>
      linesOf(
        watch.turn(
          { kind: 'looked', sight: sightOf(old.files, { findings }) },
          momentAt(new Date(begin.getTime() + ms)),
        ),
      ).filter((line) => !line.startsWith('info'));
    const line = 'error: dapr-system/dapr-trust-bundle: they differ (cluster.bundle-mismatch). Unite them.';
    expect([tell(0), tell(1000), tell(hourMs)]).toEqual([[line], [], [line]]);
  });
});

describe('a look that fails', () => {
  const line = (code: string) => `error: Looking failed: the API server does not answer (${code}). Look at it.`;

  test('is told once, with its code and mend, and that it is over once', () => {
    const fail = failed('cluster.unreachable');
    const told = tellOf([
      sightOf(old.files),
      fail,
      fail,
      failed('cluster.forbidden'),
      sightOf(old.files),
      sightOf(old.files),
    ]);
    expect(told.slice(1)).toEqual([
      [line('cluster.unreachable')],
      [],
      [line('cluster.forbidden')],
      ['info: Looking succeeds again, after 3 looks that failed since 2026-12-01T12:00:01Z'],
      [],
    ]);
  });

  test('each hour, and the ends that were seen before are told meanwhile', () => {
    const watch = startWatch({ thresholds: '100%' });
    const at = (ms: number) => momentAt(new Date(begin.getTime() + ms));
    watch.turn({ kind: 'looked', sight: sightOf(old.files) }, at(0));
    const hours = [1, 2, 3].map((hour) => linesOf(watch.turn(failed('cluster.unreachable'), at(hour * hourMs))));
    for (const lines of hours) {
      expect(lines).toContain(line('cluster.unreachable'));
      expect(lines.filter((text) => text.includes('expiration warning'))).toHaveLength(2);
    }
  });

  test('changes meanwhile are told afterwards', () => {
    const told = tellOf([sightOf(old.files), failed('file.io'), sightOf(other.files)]);
    expect(told[2]?.map((text) => text.slice(0, 40))).toEqual([
      'info: Looking succeeds again, after one ',
      'info: The root certificate was replaced:',
      'info: The issuer certificate was replace',
    ]);
  });
});

describe('of several replicas', () => {
  const dueAt = (ms: number) => momentAt(new Date(Date.parse('2027-11-20T00:00:00Z') + ms));

  test('who does not lead says nothing and counts, and who takes the lead tells what stands', () => {
    const watch = startWatch({ leads: false });
    expect(watch.turn({ kind: 'looked', sight: sightOf(old.files) }, dueAt(0)).filter(isTold)).toEqual([]);
    expect(watch.turn({ kind: 'looked', sight: sightOf(other.files) }, dueAt(1)).filter(isTold)).toEqual([]);
    expect(watch.turn(failed('file.io'), dueAt(2)).filter(isTold)).toEqual([]);
    expect(watch.state().counts).toEqual({ changes: 2, warnings: 0, failedReads: 1 });
    const lines = linesOf(watch.turn({ kind: 'lead', leads: true }, dueAt(3)));
    expect(lines).toHaveLength(4);
    expect(linesOf(watch.turn({ kind: 'lead', leads: false }, dueAt(4)))).toHaveLength(1);
    expect(watch.turn({ kind: 'passed' }, dueAt(4 + hourMs))).toEqual([]);
  });

  /** Its own beginning is no news of the bundle. */
  const isTold = (effect: Effect) => effect.kind !== 'log' || !effect.message.startsWith('Watching');
});

describe('the report for commands', () => {
  const reportOf = (effects: readonly Effect[], event: WatchReport['event']) =>
    effects.flatMap((effect) => (effect.kind === 'report' && effect.report.event === event ? effect.report : []));
  const soon = (ms: number) => momentAt(new Date(Date.parse('2027-11-20T00:00:00Z') + ms));

  test('is as its schema has it, and holds no key', () => {
    const watch = startWatch();
    watch.turn({ kind: 'looked', sight: sightOf(old.files) }, soon(0));
    const sight = sightOf(other.files, { sidecars: sidecarsOf(1, 2), unread: ['issuer key: not checked'] });
    const effects = watch.turn({ kind: 'looked', sight }, soon(1000));
    const [change] = reportOf(effects, 'change');
    const [warning] = reportOf(effects, 'warning');
    expect([change, warning].flatMap(schemaViolations)).toEqual([]);
    expect(change?.changes.map(({ reason }) => reason)).toEqual(['RootReplaced', 'IssuerReplaced', 'NotChecked']);
    expect(warning?.warnings.map(({ reason }) => reason)).toEqual(['RootExpiring', 'IssuerExpiring', 'SidecarsBehind']);
    expect(warning?.certificates.map(({ status }) => status)).toEqual(['expiring', 'expiring']);
    expect(JSON.stringify(change)).not.toMatch(/PRIVATE|BEGIN/);
    const [failure] = reportOf(watch.turn(failed('file.io'), soon(2000)), 'warning');
    expect([failure?.failure?.code, schemaViolations(failure)]).toEqual(['file.io', []]);
  });

  test('two of them become one that tells all, each warning once', () => {
    const watch = startWatch();
    const first = watch.turn({ kind: 'looked', sight: sightOf(old.files) }, soon(0));
    const second = watch.turn({ kind: 'passed' }, soon(hourMs));
    const [one, two] = [first, second].map((effects) => reportOf(effects, 'warning')[0]) as [WatchReport, WatchReport];
    const merged = mergeReports(one, two);
    expect(merged.warnings).toEqual(two.warnings);
    expect(merged.at).toBe(two.at);
    expect(mergeReports({ ...one, warnings: [] }, { ...two, warnings: one.warnings }).warnings).toHaveLength(2);
  });
});

test('looked at every ten minutes from 40 days before the end: a line an hour for 30 days', () => {
  const watch = startWatch();
  const end = Date.parse('2027-12-01T12:00:00Z');
  let lines = 0;
  for (let at = end - 40 * dayMs; at < end; at += 600_000) {
    const told = linesOf(watch.turn({ kind: 'looked', sight: sightOf(old.files) }, momentAt(new Date(at))));
    lines += told.filter((line) => line.includes('root certificate expiration')).length;
  }
  expect(lines).toBe(30 * 24);
});
