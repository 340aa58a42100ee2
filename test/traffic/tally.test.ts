import { expect, test } from 'vitest';
import { startCounting } from './tally.ts';

test('what was refused is told by what was going on, without the instants that differ each time', () => {
  const counter = startCounting();
  counter.during('switch');
  const reason = 'x509: certificate has expired or is not yet valid: current time 2026-11-22T09:33:05Z is after ...';
  counter.count({ event: 'failed', peer: 'stock', reason, distrust: true });
  counter.count({ event: 'refused', reason, distrust: true });
  counter.during('after');
  counter.count({ event: 'identity-missed', reason: 'x509: unknown authority', distrust: true });
  counter.count({ event: 'ended', made: 3, failed: 1 });
  counter.count({ event: 'ended', made: 4, failed: 0 });
  expect(counter.total()).toMatchObject({
    made: 7,
    failed: 1,
    reasons: {
      'switch: x509: certificate has expired or is not yet valid': 2,
      'after: Sentry: x509: unknown authority': 1,
    },
  });
});

test.each([
  { event: 'failed', peer: 'stock', reason: 'connect: connection refused' },
  { event: 'identity-missed', reason: 'connect: connection refused' },
] as const)('a failure that no trust explains is a fault of the tests: $event', (event) => {
  const counter = startCounting();
  counter.count(event);
  expect(() => counter.total()).toThrow('start: connect: connection refused');
});
