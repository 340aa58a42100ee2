import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { makeAlertGroups } from '../../src/app/manifest/alerts.ts';
import { readAlertThresholds } from '../../src/cli/manifest-rule-input.ts';
import { renderFile } from '../../src/render/manifest.ts';
import { untouchedRuleFlags } from '../support/rule-flags.ts';
import { skippedWithoutGo } from './go-judge.ts';
import { findGo } from './go-program.ts';
import { buildAmtool, buildPromtool } from './promtool.ts';

const page = readFileSync(new URL('../../docs/monitoring-kubernetes.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/^```yaml\n(# (\S+)\n[\s\S]*?)^```/gm)];
const files = Object.fromEntries(blocks.map(([, text = '', name = '']) => [name, text]));

const groups = makeAlertGroups(readAlertThresholds(untouchedRuleFlags));
const alerts = groups.flatMap(({ rules }) => rules);

test('the page names every alert and no other', () => {
  const named = [...page.matchAll(/^\| `(Dapr\w+)` \|/gm)].map(([, name]) => name);
  expect(named.sort()).toEqual([...new Set(alerts.map(({ alert }) => alert))].sort());
});

const go = await findGo(process.env);

if (!go) {
  test.skip(skippedWithoutGo);
} else {
  const [promtool, amtool] = [await buildPromtool(go), await buildAmtool(go)];

  test('Prometheus takes the configuration of the page, with the rules in it', async () => {
    const rules = { 'dapr-mtls.rules.yaml': renderFile({ groups }, 'text') };
    const check = ['check', 'config', 'prometheus.yml'];
    const { isContent, said } = await promtool(check, { ...rules, 'prometheus.yml': files['prometheus.yml'] ?? '' });
    expect(isContent, said).toBe(true);
    expect(said).toContain('rules found');
    const broken = files['prometheus.yml']?.replace('role: pod', 'role: pods') ?? '';
    expect((await promtool(check, { ...rules, 'prometheus.yml': broken })).isContent).toBe(false);
  });

  describe('Alertmanager', () => {
    const config = files['alertmanager.yml'] ?? '';

    test('takes the configuration of the page', async () => {
      const { isContent, said } = await amtool(['check-config', 'alertmanager.yml'], { 'alertmanager.yml': config });
      expect(isContent, said).toBe(true);
      const broken = config.replace('receiver: on-call', 'receiver: nobody');
      const refusal = await amtool(['check-config', 'alertmanager.yml'], { 'alertmanager.yml': broken });
      expect(refusal.isContent).toBe(false);
    });

    test.each(alerts)('sends $alert ($labels.severity) to who is awake for it', async ({ alert, labels }) => {
      const { said } = await amtool(
        [
          'config',
          'routes',
          'test',
          '--config.file=alertmanager.yml',
          `alertname=${alert}`,
          `severity=${labels.severity}`,
        ],
        { 'alertmanager.yml': config },
      );
      expect(said.trim()).toBe(labels.severity === 'critical' ? 'on-call' : 'platform');
    });
  });
}
