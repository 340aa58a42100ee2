import { expect, test } from 'vitest';
import { type ExplanationReport, listKnownLines, startExplaining } from '../../src/app/explain/explain.ts';
import { renderExplanation } from '../../src/render/explanation.ts';
import { renderYaml } from '../../src/render/yaml.ts';
import { expectGolden } from '../support/golden.ts';
import { schemaViolations } from '../support/schema.ts';

const pipe = { isTty: false, columns: 80, colour: false };
const terminal = { isTty: true, columns: 80, colour: false };
const colourful = { isTty: true, columns: 80, colour: true };

function explain(...log: string[]): ExplanationReport {
  const explaining = startExplaining(undefined);
  for (const line of log) explaining.take(line);
  return explaining.report();
}

const log = explain(
  'level=info msg="Fetching initial identity" scope=dapr.runtime.security',
  'level=info msg="nothing of interest"',
  'x509: certificate signed by unknown authority \u001b[2J',
  'x509: certificate signed by unknown authority',
);

test('a log, for a pipe and for terminals', async () => {
  await expectGolden('explanation.txt', renderExplanation(log, pipe));
  await expectGolden('explanation.terminal.txt', renderExplanation(log, terminal));
  await expectGolden('explanation.colour.txt', renderExplanation(log, colourful));
});

test('nothing known', async () => {
  const texts = [explain(), explain('one'), explain('one', 'two')].map((report) => renderExplanation(report, pipe));
  await expectGolden('explanation.nothing.txt', texts.join(''));
});

test('as documents', async () => {
  await expectGolden('explanation.json', `${JSON.stringify(log, undefined, 2)}\n`);
  await expectGolden('explanation.yaml', renderYaml(log));
  expect(schemaViolations(log)).toEqual([]);
  expect(schemaViolations(explain())).toEqual([]);
  expect(schemaViolations(listKnownLines('certs'))).toEqual([]);
});
