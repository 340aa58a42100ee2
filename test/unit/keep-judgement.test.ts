import { beforeEach, expect, test } from 'vitest';
import { datesOf, keepJudgement } from '../../src/app/watch/keep-judgement.ts';
import type { FoundFiles } from '../../src/pki/reading.ts';
import { dayMs, makeBundle } from '../support/bundles.ts';

const begin = new Date('2026-11-22T10:10:00Z');
const minuteMs = 60_000;
let files: FoundFiles;
let judged: Date[];

beforeEach(async () => {
  ({ files } = await makeBundle({ at: begin, rootValidMs: 20 * dayMs, issuerValidMs: 10 * dayMs }));
  judged = [];
});

const judge = (at: Date) => {
  judged.push(at);
  return [];
};
const after = (ms: number) => new Date(begin.getTime() + ms);

test('what was read once is judged once an hour', () => {
  const keep = keepJudgement();
  for (let minute = 0; minute < 120; minute++) keep(judge, files, after(minute * minuteMs));
  expect(judged).toEqual([begin, after(50 * minuteMs), after(110 * minuteMs)]);
});

test('an end is judged at once', () => {
  const keep = keepJudgement();
  const end = 10 * dayMs;
  const times = [end - 5 * minuteMs, end - 1000, end + 1000, end + 5 * minuteMs].map(after);
  for (const at of times) keep(judge, files, at);
  expect(judged).toEqual([times[0], times[2]]);
});

test('a certificate that is valid from this second on is judged at this second', () => {
  const keep = keepJudgement();
  const [notBefore] = datesOf(files) as [Date];
  const times = [-1000, 0].map((ms) => new Date(notBefore.getTime() + ms));
  for (const at of times) keep(judge, files, at);
  expect(judged).toEqual(times);
});

test('what was read anew is judged anew', () => {
  const keep = keepJudgement();
  keep(judge, files, begin);
  keep((at) => judge(at), files, begin);
  expect(judged).toHaveLength(2);
});

test('a clock that goes back has it judged anew', () => {
  const keep = keepJudgement();
  for (const at of [begin, after(-dayMs), begin]) keep(judge, files, at);
  expect(judged).toHaveLength(3);
});
