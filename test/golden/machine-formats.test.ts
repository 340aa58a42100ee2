import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import { findingsOf, type Observation } from '../../src/app/observation/observation.ts';
import { renderGithub } from '../../src/render/machine/github.ts';
import { renderJunit } from '../../src/render/machine/junit.ts';
import { renderNagios } from '../../src/render/machine/nagios.ts';
import { renderPrometheus } from '../../src/render/machine/prometheus.ts';
import { renderSarif } from '../../src/render/machine/sarif.ts';
import { expectGolden } from '../support/golden.ts';
import { sampleObservations } from '../support/sample-observations.ts';

/** The schema of OASIS, as Microsoft's own matcher brings it; nothing of it means another thing in draft 7. */
const sarifSchema = createRequire(import.meta.url).resolve('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json');
const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
(formats as unknown as { default: (ajv: Ajv) => void }).default(ajv);
const { $schema: _draft, id: _id, ...schema } = JSON.parse(readFileSync(sarifSchema, 'utf8'));
const isSarif = ajv.compile(schema);

describe.each(Object.entries(sampleObservations))('%s', (name, observe) => {
  test('as every format', async () => {
    const observation = await observe();
    const { text, exitCode } = renderNagios(observation);
    await expectGolden(`machine/${name}.prom`, await renderPrometheus(observation));
    await expectGolden(`machine/${name}.nagios.txt`, `${text}exit code ${exitCode}\n`);
    await expectGolden(`machine/${name}.github.txt`, renderGithub(observation));
    await expectGolden(`machine/${name}.junit.xml`, renderJunit(observation));
    await expectGolden(`machine/${name}.sarif.json`, renderSarif(observation, '0.0.0'));
  });

  /** Monitoring Plugins' development guidelines: one line, and figures behind a bar that nothing else uses. */
  test('for a monitoring plugin', async () => {
    const { text, exitCode } = renderNagios(await observe());
    const [head = '', ...others] = text.trimEnd().split('\n');
    const figure = /^[a-z]+=-?\d+s?(;[\d:]*){0,3}$/;
    const [words = '', figures = '', ...rest] = head.split(' | ');
    expect(rest).toEqual([]);
    expect(figures.split(' ').filter((one) => !figure.test(one))).toEqual([]);
    expect(words).toMatch(/^MTLS [A-Z]+ (OK|WARNING|CRITICAL|UNKNOWN) - /);
    expect(['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'].indexOf(words.split(' ')[2] ?? '')).toBe(exitCode);
    expect(others.join('\n')).not.toContain('|');
  });

  test('as SARIF that its schema accepts, with one result a finding', async () => {
    const observation = await observe();
    const log = JSON.parse(renderSarif(observation, '0.1.0'));
    expect([isSarif(log), isSarif.errors]).toEqual([true, null]);
    expect(log.runs[0].results).toHaveLength(findingsOf(observation).length);
    expect(isSarif({ ...log, version: '2' })).toBe(false);
  });

  /** https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning */
  test('as SARIF that leads GitHub to a file of the repository, or to a name that is none', async () => {
    const { runs } = JSON.parse(renderSarif(await observe(), '0.1.0'));
    const locations = runs[0].results.flatMap((result: { locations: unknown[] }) => result.locations);
    const uris = locations.map(
      (location: { physicalLocation: { artifactLocation: { uri: string } } }) =>
        location.physicalLocation.artifactLocation.uri,
    );
    const names = ['ca.crt', 'issuer.crt', 'issuer.key', 'dapr-trust-bundle'];
    expect(uris.filter((uri: string) => !names.includes(uri))).toEqual([]);
  });

  /** What @actions/core writes can be read back: https://github.com/actions/toolkit, command.ts. */
  test('for GitHub, one annotation a finding', async () => {
    const observation = await observe();
    const lines = renderGithub(observation).trimEnd().split('\n');
    const annotations = lines.filter((line) => line.startsWith('::'));
    expect(annotations).toHaveLength(findingsOf(observation).length);
    for (const line of annotations) expect(line).toMatch(/^::(error|warning|notice) title=[^:,]+::.+%0AMend%?.*/);
  });
});

describe('where a cluster could not be looked at', () => {
  const answersOf = async (name: string) => {
    const observation = await (sampleObservations[name] as () => Promise<Observation>)();
    const { executionSuccessful } = JSON.parse(renderSarif(observation, '0.1.0')).runs[0].invocations[0];
    return [renderNagios(observation).exitCode, executionSuccessful];
  };

  test.each([
    ['clusters-away', 3, false],
    ['clusters-soon', 3, false],
    ['clusters-ended', 2, false],
    ['expiry-ended', 2, true],
    ['expiry', 0, true],
  ])('%s: a plugin ends with %i, a scan went well: %s', async (name, exitCode, isWell) => {
    expect(await answersOf(name)).toEqual([exitCode, isWell]);
  });
});

test('in a directory a finding leads to its file and line', async () => {
  const { runs } = JSON.parse(
    renderSarif(await (sampleObservations['check-damaged'] as () => Promise<Observation>)(), '0'),
  );
  expect(runs[0].results[0].locations[0].physicalLocation).toEqual({
    artifactLocation: { uri: 'ca.crt' },
    region: { startLine: 17 },
  });
});
