import fc from 'fast-check';
import { expect, test } from 'vitest';
import { recallLast, recallTexts } from '../../src/kube/pods/protobuf/recall-text.ts';

const shared = fc.constantFrom(
  '',
  'a',
  'b',
  'ab',
  'checkout-7c9d',
  'checkout-7c9e',
  'ö',
  'x'.repeat(128),
  'x'.repeat(129),
);

test.each([
  ['the last one', recallLast],
  ['a few', recallTexts],
])('what recalls %s reads each text as it is', (_, recall) => {
  fc.assert(
    fc.property(fc.array(fc.oneof(shared, fc.string({ unit: 'grapheme', maxLength: 140 }))), (texts) => {
      const read = recall();
      // One behind the other in one place that is written over, as the chunks of a list are.
      const bytes = Buffer.alloc(1024);
      for (const text of texts) {
        const start = bytes.write('#');
        expect(read(bytes, start, start + bytes.write(text, start))).toBe(Buffer.from(text).toString());
        bytes.fill(0);
      }
    }),
  );
});

test('the same text is the same string, made once', () => {
  const bytes = Buffer.from('Running Running Pending');
  let made = 0;
  const counting = Object.assign(Buffer.from(bytes), {
    toString: (...words: Parameters<Buffer['toString']>) => {
      made += 1;
      return bytes.toString(...words);
    },
  });
  const read = recallLast();
  expect([read(counting, 0, 7), read(counting, 8, 15), read(counting, 16, 23)]).toEqual([
    'Running',
    'Running',
    'Pending',
  ]);
  expect(made).toBe(2);
});
