import { expect, test } from 'vitest';
import { describeWatch } from '../../src/app/watch/figures.ts';
import { describeProcess } from '../../src/cli/watch/process-figures.ts';
import { renderPrometheus } from '../../src/render/machine/prometheus.ts';
import { readForeignBundle } from '../support/fixtures.ts';
import { momentAt, sidecarsOf, sightOf, startWatch } from '../support/watch-world.ts';
import { skippedWithoutGo } from './go-judge.ts';
import { buildGoProgram, converse, findGo } from './go-program.ts';

const go = await findGo(process.env);

if (!go) {
  test.skip(skippedWithoutGo);
} else {
  test("what /metrics serves is read by promtool's parser and passes its lint", async () => {
    const at = new Date('2027-11-20T00:00:00Z');
    const watch = startWatch();
    const sight = sightOf(readForeignBundle('sentry-1.18'), { sidecars: sidecarsOf(7, 2, 1) });
    watch.turn({ kind: 'looked', sight }, momentAt(at));
    const metrics = [...describeWatch(watch.state(), at, '1.2.3'), ...describeProcess()];
    const program = await buildGoProgram(go, 'formats', ['formats'], process.env);
    const [reading] = await converse(program, [{ format: 'prometheus', text: await renderPrometheus({ metrics }) }]);
    const counts = Object.fromEntries(metrics.map(({ name, samples }) => [name, samples.length]));
    expect(reading).toEqual({ problems: [], counts });
  });
}
