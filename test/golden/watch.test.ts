import { beforeAll, expect, test } from 'vitest';
import { describeWatch } from '../../src/app/watch/figures.ts';
import type { LogEntry } from '../../src/app/watch/watch.ts';
import { renderPrometheus } from '../../src/render/machine/prometheus.ts';
import { renderLogLine } from '../../src/render/watch-log.ts';
import { readFixture } from '../support/fixtures.ts';
import { expectGolden } from '../support/golden.ts';
import { linesOf, momentAt, sidecarsOf, sightOf, startWatch } from '../support/watch-world.ts';

const files = {
  anchors: readFixture('pki/bridged/ca.crt'),
  issuerChain: readFixture('pki/bridged/issuer.crt'),
};
const at = new Date('2026-12-01T12:00:00.120Z');
const watch = startWatch({ thresholds: '30d,99%' });
let entries: readonly LogEntry[];

beforeAll(() => {
  const sight = sightOf(files, {
    sidecars: sidecarsOf(7, 2, 1),
    unread: ['issuer key: not checked, the Secret is not read'],
  });
  const failure = { code: 'file.io', message: 'a file named "a\tb"\nis gone', hint: 'See <docs> & mend it.' };
  const effects = [
    ...watch.turn({ kind: 'looked', sight }, momentAt(at)),
    ...watch.turn({ kind: 'failed', failure }, momentAt(at)),
  ];
  entries = effects.flatMap((effect) =>
    effect.kind === 'log' ? { level: effect.level, message: effect.message } : [],
  );
  expect(linesOf(effects)).toHaveLength(entries.length);
});

test.each([false, true])("the log in Sentry's shape, as JSON: %s", async (isJson) => {
  const writer = { instance: 'dapr-mtls-watch-0', version: '1.2.3', isJson };
  const text = entries.map((entry) => renderLogLine(entry, at, writer)).join('');
  await expectGolden(`watch/log.${isJson ? 'jsonl' : 'txt'}`, text);
});

test('the figures', async () => {
  const metrics = describeWatch(watch.state(), at, '1.2.3');
  await expectGolden('watch/metrics.prom', await renderPrometheus({ metrics }));
});

test('figures of what was not seen yet are not there', async () => {
  const text = await renderPrometheus({ metrics: describeWatch(startWatch().state(), at, '1.2.3') });
  expect(text).not.toMatch(/certificate|sidecars|findings|last_successful/);
  expect(text).toMatch(/^dapr_mtls_watch_failed_reads_total 0$/m);
});

/** As Go writes RFC3339Nano. */
test.each([
  ['2026-12-01T12:00:00.000Z', '2026-12-01T12:00:00Z'],
  ['2026-12-01T12:00:00.100Z', '2026-12-01T12:00:00.1Z'],
  ['2026-12-01T12:00:00.005Z', '2026-12-01T12:00:00.005Z'],
])('%s is written %s', (instant, written) => {
  const writer = { instance: 'a', version: '1', isJson: true };
  const line = renderLogLine({ level: 'info', message: 'm' }, new Date(instant), writer);
  expect(JSON.parse(line)).toEqual({
    instance: 'a',
    level: 'info',
    msg: 'm',
    scope: 'dapr.mtls.watch',
    time: written,
    type: 'log',
    ver: '1',
  });
});
