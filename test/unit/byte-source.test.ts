import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteSource } from '../../src/kube/pods/protobuf/byte-source.ts';
import { randomSeed } from '../support/seed.ts';

/** Lengths as a reader of messages asks for them: how many to wait for, to have in one piece, and to take. */
const step = fc.record({
  fill: fc.nat({ max: 60 }),
  join: fc.nat({ max: 60 }),
  /** So much of what was joined. */
  share: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
});

interface Stream {
  readonly source: ByteSource;
  /** All bytes that were put into it so far. */
  readonly come: () => Buffer;
  readonly given: Set<Buffer>;
}

/** Each chunk that comes back is written over at once, and has to have been taken or copied before. */
function open(pieces: readonly Uint8Array[]): Stream {
  const chunks = pieces.map((piece) => Buffer.from(piece));
  const whole = Buffer.concat(chunks);
  const ends = new Map<Buffer, number>();
  let come = 0;
  const given = new Set<Buffer>();
  const source = new ByteSource(
    (async function* () {
      for (const chunk of chunks) {
        come += chunk.length;
        ends.set(chunk, come);
        yield chunk;
      }
    })(),
    (chunk) => {
      expect(ends.has(chunk), 'one that never came').toBe(true);
      expect(given.has(chunk), 'twice').toBe(false);
      given.add(chunk);
      chunk.fill(0xff);
    },
  );
  return { source, come: () => whole.subarray(0, come), given };
}

const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 15 });

describe(`the bytes of a stream (${randomSeed.words})`, () => {
  test('are those that came, in whatever lengths they are taken, though chunks are written over', async () => {
    await fc.assert(
      fc.asyncProperty(pieces, fc.array(step, { maxLength: 60 }), async (chunks, steps) => {
        const whole = Buffer.concat(chunks);
        const { source, come } = open(chunks);
        let position = 0;
        for (const { fill, join, share } of steps) {
          expect(await source.fill(fill)).toBe(position + fill <= whole.length);
          expect(source.holds(fill)).toBe(position + fill <= whole.length);
          const joined = source.join(join);
          expect(joined).toBe(Math.min(join, come().length - position));
          const next = source.bytes.subarray(source.start, source.start + joined);
          expect(next.equals(whole.subarray(position, position + joined))).toBe(true);
          const taken = Math.floor(joined * share);
          source.skip(taken);
          position += taken;
          expect(source.position).toBe(position);
        }
      }),
      { seed: randomSeed.value, numRuns: 1000 },
    );
  });

  test('give their chunks back when they have been taken: all but the one that was looked at last', async () => {
    await fc.assert(
      fc.asyncProperty(pieces, fc.integer({ min: 1, max: 60 }), async (chunks, length) => {
        const { source, given, come } = open(chunks);
        while (await source.fill(1)) {
          await source.fill(length);
          source.skip(source.join(length));
        }
        expect(source.position).toBe(come().length);
        expect(given.size).toBeGreaterThanOrEqual(chunks.filter((chunk) => chunk.length > 0).length - 1);
      }),
      { seed: randomSeed.value, numRuns: 300 },
    );
  });

  test('lie where they came to lie, and are copied only across two chunks', async () => {
    const [first, second] = [Buffer.from('abcdef'), Buffer.from('ghijkl')];
    const given: Buffer[] = [];
    const source = new ByteSource(
      (async function* () {
        yield first;
        yield second;
      })(),
      (chunk) => given.push(chunk),
    );
    await source.fill(12);
    source.skip(source.join(5));
    expect(source.bytes).toBe(first);
    expect(source.join(3)).toBe(3);
    expect(source.bytes.toString('latin1', source.start)).toBe('fgh');
    // The rest of the second still lies there.
    expect(given).toEqual([first]);
    source.skip(3);
    source.join(4);
    expect(source.bytes).toBe(second);
    expect(source.bytes.toString('latin1', source.start)).toBe('ijkl');
    expect(given).toEqual([first]);
  });

  test('end where the stream ends, and close it where the reader has had enough', async () => {
    let isClosed = false;
    const source = new ByteSource(
      (async function* () {
        try {
          yield Buffer.from('abc');
          yield Buffer.from('def');
        } finally {
          isClosed = true;
        }
      })(),
    );
    expect(await source.fill(2)).toBe(true);
    await source.close();
    expect(isClosed).toBe(true);
    expect(await source.fill(4)).toBe(false);
    expect(source.join(4)).toBe(3);
  });
});
