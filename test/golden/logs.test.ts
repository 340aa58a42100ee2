import { expect, test } from 'vitest';
import { readEntry } from '../../src/app/logs/read-entry.ts';
import { startRenderingLines } from '../../src/render/log-line.ts';
import { expectGolden } from '../support/golden.ts';
import { schemaViolations } from '../support/schema.ts';

const line = (pod: string, second: number, text: string) => ({
  pod,
  at: `2026-11-22T01:02:${String(second).padStart(2, '0')}.000000004Z`,
  text,
});
const entries = [
  line(
    'dapr-sentry-6d8c4db785-2v46w',
    1,
    'time="2026-11-22T01:02:01Z" level=info msg="Starting sentry server" ver=1.17.13',
  ),
  line('dapr-sentry-6d8c4db785-x7k2p', 2, '{"level":"warning","msg":"Refreshing JWKS failed","ver":"1.17.13"}'),
  line(
    'dapr-sentry-6d8c4db785-2v46w',
    3,
    'time="2026-11-22T01:02:03Z" level=warning msg="Dapr root certificate expiration warning: certificate expires in 2 days and 15 hours"',
  ),
  line('dapr-sentry-6d8c4db785-x7k2p', 4, '{"level":"fatal","msg":"issuer chain does not belong to trust anchors"}'),
  line('dapr-sentry-6d8c4db785-x7k2p', 4, 'goroutine 1 [running]:\t\u001b]0;title\u0007'),
].map(readEntry);

test.each([
  ['pipe', false],
  ['colour', true],
])('lines of a log: %s', async (name, hasColour) => {
  await expectGolden(`logs.${name}.txt`, entries.map(startRenderingLines(hasColour)).join(''));
});

test('as documents, one a line', async () => {
  expect(entries.flatMap((entry) => schemaViolations(entry))).toEqual([]);
  await expectGolden('logs.jsonl', entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
});
