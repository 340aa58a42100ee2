import { describe, expect, test } from 'vitest';
import { renderJunit } from '../../src/render/machine/junit.ts';
import { renderPrometheus } from '../../src/render/machine/prometheus.ts';
import { sampleObservations } from '../support/sample-observations.ts';
import { skippedWithoutGo } from './go-judge.ts';
import { buildGoProgram, converse, findGo } from './go-program.ts';

interface Reading {
  readonly problems: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

const go = await findGo(process.env);

if (!go) {
  test.skip(skippedWithoutGo);
} else {
  const program = await buildGoProgram(go, 'formats', ['formats'], process.env);
  const read = async (format: string, text: string) => {
    const [reading] = (await converse(program, [{ format, text }])) as Reading[];
    return reading;
  };

  test('the reader sees what is wrong', async () => {
    expect((await read('prometheus', 'a_total{ 3\n'))?.problems).not.toEqual([]);
    expect((await read('prometheus', '# TYPE seconds_since gauge\nseconds_since 3\n'))?.problems).not.toEqual([]);
    expect((await read('junit', '<testsuite><testcase></testsuite>'))?.problems).not.toEqual([]);
  });

  describe.each(Object.entries(sampleObservations))('%s', (_, observe) => {
    test("is read by promtool's parser and passes its lint", async () => {
      const observation = await observe();
      const metrics = observation.metrics.filter(({ samples }) => samples.length > 0);
      const counts = Object.fromEntries(metrics.map(({ name, samples }) => [name, samples.length]));
      expect(await read('prometheus', await renderPrometheus(observation))).toEqual({ problems: [], counts });
    });

    test('is read as a JUnit report', async () => {
      const observation = await observe();
      const failed = observation.checks.filter(({ findings }) => findings.some(({ severity }) => severity !== 'info'));
      expect(await read('junit', renderJunit(observation))).toEqual({
        problems: [],
        counts: {
          tests: observation.checks.length,
          failed: failed.length,
          passed: observation.checks.length - failed.length,
        },
      });
    });
  });
}
