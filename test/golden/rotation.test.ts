import { describe, expect, test } from 'vitest';
import { exitCodeOfRotation } from '../../src/app/rotate/report.ts';
import { renderRotation, renderRotationStatus } from '../../src/render/rotation.ts';
import { renderRotationPlan } from '../../src/render/rotation-plan.ts';
import { renderYaml } from '../../src/render/yaml.ts';
import { expectGolden } from '../support/golden.ts';
import * as samples from '../support/sample-rotations.ts';
import { schemaViolations } from '../support/schema.ts';

const terminal = { isTty: true, columns: 80, colour: false };
const narrow = { isTty: true, columns: 44, colour: false };
const pipe = { isTty: false, columns: 80, colour: false };
const colourful = { isTty: true, columns: 80, colour: true };

const texts = [
  ['rotation-plan.bridge.txt', () => renderRotationPlan(samples.bridgePlan, terminal), 80],
  ['rotation-plan.narrow.txt', () => renderRotationPlan(samples.bridgePlan, narrow), 44],
  ['rotation-plan.pipe.txt', () => renderRotationPlan(samples.stagedPlan, pipe), undefined],
  ['rotation-plan.staged.txt', () => renderRotationPlan(samples.stagedPlan, terminal), 80],
  ['rotation-plan.emergency.txt', () => renderRotationPlan(samples.emergencyPlan, terminal), 80],
  ['rotation-plan.colour.txt', () => renderRotationPlan(samples.emergencyPlan, colourful), undefined],
  ['rotation.waiting.txt', () => renderRotation(samples.waiting, terminal), 80],
  ['rotation.narrow.txt', () => renderRotation(samples.waiting, narrow), 44],
  ['rotation.pipe.txt', () => renderRotation(samples.waiting, pipe), undefined],
  ['rotation.colour.txt', () => renderRotation(samples.waiting, colourful), undefined],
  ['rotation.closed.txt', () => renderRotation(samples.closed, terminal), 80],
  ['rotation.until.txt', () => renderRotation(samples.stopped, terminal), 80],
  ['rotation.confirmed.txt', () => renderRotation(samples.confirmed, terminal), 80],
  ['rotation.handed-out.txt', () => renderRotation(samples.handedOut, terminal), 80],
  ['rotation.abandoned.txt', () => renderRotation(samples.abandoned, colourful), undefined],
  ['rotation.done.txt', () => renderRotation(samples.done, terminal), 80],
  ['rotation.undone.txt', () => renderRotation(samples.undone, terminal), 80],
  ['rotation-status.txt', () => renderRotationStatus(samples.watched, terminal), 80],
  ['rotation-status.narrow.txt', () => renderRotationStatus(samples.watched, narrow), 44],
  ['rotation-status.colour.txt', () => renderRotationStatus(samples.watched, colourful), undefined],
  ['rotation-status.none.txt', () => renderRotationStatus(samples.none, terminal), 80],
] as const;

describe('text', () => {
  test.each(texts)('%s', async (name, render) => {
    await expectGolden(name, render());
  });

  test.each(texts.filter(([, , width]) => width !== undefined))(
    '%s is no wider than its terminal',
    (_, render, width) => {
      // A command is copied whole, and so is a word.
      const lines = render()
        .replace(/`[^`]+`|^ {2}dapr-mtls .*$/gm, '')
        .split('\n');
      const tooWide = lines.filter((line) => line.length > (width ?? 0) && line.trim().includes(' '));
      expect(tooWide).toEqual([]);
    },
  );
});

test.each([
  ['rotation-plan', () => samples.bridgePlan],
  ['rotation-plan.emergency', () => samples.emergencyPlan],
  ['rotation', () => samples.watched],
  ['rotation.none', () => samples.none],
] as const)('%s is as the schema promises, as JSON and as YAML', async (name, make) => {
  expect(schemaViolations(make())).toEqual([]);
  await expectGolden(`${name}.json`, `${JSON.stringify(make(), undefined, 2)}\n`);
  await expectGolden(`${name}.yaml`, renderYaml(make()));
});

test('the exit code tells whether somebody has to come back', () => {
  const { waiting, closed, stopped, done, undone } = samples;
  expect([waiting, closed].map(exitCodeOfRotation)).toEqual([8, 8]);
  expect([stopped, done, undone].map(exitCodeOfRotation)).toEqual([0, 0, 0]);
});

test('no key of a record comes into its document', () => {
  const stages = { before: { anchors: 'QQ==', issuerChain: 'QQ==', issuerKey: 'c2VjcmV0' } };
  const record = { ...samples.waitingRecord, stages, rootKeyFile: { path: '/k', content: 'c2VjcmV0' } };
  const report = samples.reportOf(record);
  expect(schemaViolations(report)).toEqual([]);
  expect(JSON.stringify(report)).not.toContain('c2VjcmV0');
});
