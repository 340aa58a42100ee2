import { expect, test } from 'vitest';
import { startCounting } from './tally.ts';

test('what was refused is told by what was going on, without the instants that differ each time', () => {
  const counter = startCounting();
  counter.during('switch');
  const reason =
    'x509: certificate has expired or is not yet valid: current time 2026-11-22T09:33:05Z is after 2026-11-22T09:33:04Z';
  counter.count({ event: 'failed', peer: 'stock', reason, distrust: true });
  counter.count({ event: 'refused', reason, distrust: true });
  counter.during('after');
  counter.count({ event: 'identity-missed', reason: 'x509: unknown authority', distrust: true });
  counter.count({ event: 'called', made: 3 });
  counter.count({ event: 'called', made: 4 });
  expect(counter.take()).toMatchObject({
    made: 7,
    failed: 1,
    reasons: {
      'switch: x509: certificate has expired or is not yet valid: it is after its time': 2,
      'after: Sentry: x509: unknown authority': 1,
    },
  });
  expect(counter.take()).toMatchObject({ made: 0, failed: 0, reasons: {} });
});

test.each([
  { event: 'failed', peer: 'stock', reason: 'connect: connection refused' },
  { event: 'identity-missed', reason: 'connect: connection refused' },
  { event: 'late', reason: 'connect: connection refused' },
] as const)('a failure that no trust explains is a fault of the tests: $event', (event) => {
  const counter = startCounting();
  counter.count(event);
  expect(() => counter.take()).toThrow(/start: .*connection refused/);
});
