import { expect, test } from 'vitest';
import { openStages } from '../../src/app/rotate/opened-stages.ts';
import { encodeStage } from '../../src/app/rotate/stage-record.ts';
import { makeBundle } from '../support/bundles.ts';
import { planFor } from '../support/rotation-plans.ts';

const { files, rootKey } = await makeBundle();
const plan = await planFor(files, { procedure: 'same-root', request: { kind: 'private-key', rootKey } });
const { before, after } = plan.material.stages;
if (!before || !after) throw new Error('a switch leads from one bundle to another');
const stages = { before: encodeStage(before, 'secret'), after: encodeStage(after, 'secret') };

test('each key is decrypted once, however often it is asked for', () => {
  const opened = openStages({ stages, encrypted: true }, 'secret');
  expect(opened.sealed.before?.files.issuerKey.toString()).toMatch(/ENCRYPTED PRIVATE KEY/);
  const first = opened.files('before');
  expect(first.issuerKey.toString()).toMatch(/-BEGIN PRIVATE KEY-/);
  const all = opened.unsealed();
  expect(all.before?.files).toBe(first);
  expect(opened.files('after')).toBe(all.after?.files);
});

test('nothing is decrypted that nobody asks for', () => {
  const opened = openStages({ stages, encrypted: true }, undefined);
  expect(opened.sealed.after?.anchors).toHaveLength(1);
  expect(() => opened.files('after')).toThrow(expect.objectContaining({ code: 'key.passphrase' }));
});
