import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { makeDashboard } from '../../src/app/manifest/dashboard/dashboard.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { skippedWithoutGo } from './go-judge.ts';
import { findGo } from './go-program.ts';
import type { WrittenDashboard } from './grafana/written-dashboard.ts';
import { buildPromtool } from './promtool.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const text = JSON.stringify(makeDashboard());

const { panels } = JSON.parse(text) as WrittenDashboard;

/** The compiler is strict about a literal: a field of nobody is an error, as is a value that is none. */
async function askSchema(dashboard: string): Promise<string> {
  const folder = temporaryDirectory('dashboard');
  const type = join(root, 'test', 'interop', 'grafana', 'written-dashboard.ts');
  writeFileSync(
    join(folder, 'dashboard.ts'),
    `import type { WrittenDashboard } from ${JSON.stringify(type)};\nexport const dashboard: WrittenDashboard = ${dashboard};\n`,
  );
  const compilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: true, allowImportingTsExtensions: true },
    ...{ module: 'nodenext', target: 'es2022', types: [] },
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['dashboard.ts'] }));
  const compiler = join(root, 'node_modules', '.bin', 'tsc');
  return run(compiler, ['-p', folder], { cwd: folder }).then(
    () => '',
    (error: { stdout?: string }) => {
      if (!error.stdout) throw error;
      return error.stdout;
    },
  );
}

describe('the dashboard, by the schema of Grafana and of its panels', () => {
  test('is one', async () => {
    expect(await askSchema(text)).toBe('');
  });

  test.each([
    ['"schemaVersion":42', '"schemaVersion":"42"'],
    ['"refresh":"1m"', '"refreshed":"1m"'],
    ['"graphMode":"none"', '"graphMode":"nothing"'],
    ['"drawStyle":', '"drawnStyle":'],
    ['"mergeValues":', '"mergedValues":'],
    ['"cellHeight":"sm"', '"cellHeight":"small"'],
    ['"type":"stat"', '"type":"stats"'],
  ])('is none with %s as %s', async (was, is) => {
    expect(text).toContain(was);
    expect(await askSchema(text.replace(was, is))).toContain('error TS');
  });

  test('has no panel upon another', () => {
    const places = panels.flatMap(({ gridPos = [] }) => gridPos);
    expect(places).toHaveLength(panels.length);
    const cells = places.flatMap(({ h, w, x, y }) =>
      Array.from({ length: h * w }, (_, index) => `${x + (index % w)}/${y + Math.floor(index / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...places.map(({ x, w }) => x + w))).toBe(24);
  });
});

const go = await findGo(process.env);

if (!go) {
  test.skip(skippedWithoutGo);
} else {
  const promtool = await buildPromtool(go);
  const queries = panels.flatMap(({ title = '', targets = [] }) =>
    // As Grafana fills them in where all is chosen.
    targets.map(({ expr }) => ({ title, expr: String(expr).replaceAll(/\$(cluster|instance)/g, '.*') })),
  );

  test("Prometheus' own parser takes every query", async () => {
    const rules = queries.map(({ expr }, index) => ({ record: `query_${index}`, expr }));
    const { isContent, said } = await promtool(['check', 'rules', 'rules.yaml'], {
      'rules.yaml': { groups: [{ name: 'queries', rules }] },
    });
    expect(isContent, said).toBe(true);
    expect(said).toContain(`${queries.length} rules found`);
  });

  test('its figures count each bundle once, however many replicas tell of it', async () => {
    const day = 86_400;
    const series = ['a', 'b'].flatMap((pod) => {
      const of = (name: string, labels: string, value: number | string) => ({
        series: `dapr_mtls_${name}{${labels}${labels && ','}instance="watch",pod="${pod}"}`,
        values: typeof value === 'number' ? `${value}x60` : value,
      });
      return [
        of('certificate_expiry_timestamp_seconds', 'role="root",fingerprint="r",subject="R"', 100 * day),
        of('certificate_expiry_timestamp_seconds', 'role="issuer",fingerprint="i",subject="I"', 10 * day),
        of('stale_sidecars', '', 3),
        of('sidecars', 'state="stale"', 3),
        of('findings', 'command="watch",severity="error",code="issuer.expired"', 1),
        of('last_successful_read_timestamp_seconds', 'command="watch"', '0+60x60'),
      ];
    });
    const expected: Readonly<Record<string, readonly object[]>> = {
      'Days to the end': [
        { labels: '{role="root"}', value: 100 },
        { labels: '{role="issuer"}', value: 10 },
      ],
      'Sidecars behind': [{ labels: '{}', value: 3 }],
      'Errors found': [{ labels: '{}', value: 1 }],
      'Last read': [{ labels: '{command="watch"}', value: 0 }],
      'Sidecars by state': [{ labels: '{state="stale"}', value: 3 }],
    };
    const asked = queries.filter(({ title }) => title in expected);
    expect(asked).toHaveLength(Object.keys(expected).length);
    const { isContent, said } = await promtool(['test', 'rules', 'test.yaml'], {
      'test.yaml': {
        tests: [
          {
            interval: '1m',
            input_series: series,
            promql_expr_test: asked.map(({ title, expr }) => ({ expr, eval_time: '0m', exp_samples: expected[title] })),
          },
        ],
      },
    });
    expect(isContent, said).toBe(true);
  });
}
