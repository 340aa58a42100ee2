import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { DaprMtlsError } from '../../src/errors.ts';
import { gunzip, gunzipWhole } from '../../src/kube/client/gunzip.ts';

/** Of which a part cannot be packed. */
const plain = Buffer.concat([Buffer.alloc(700_000, 'pod '), randomBytes(300_000)]);
const packed = gzipSync(plain);

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

describe('a packed body', () => {
  test.each([1000, 65_536, 1_000_000])('in pieces of %i bytes is unpacked', async (size) => {
    expect((await buffer(gunzip(inPieces(packed, size)))).equals(plain)).toBe(true);
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['cut short', packed.subarray(0, packed.length - 1)],
    ['cut in its head', packed.subarray(0, 5)],
    ['no gzip', plain],
    ['of another sum', Buffer.concat([packed.subarray(0, -8), Buffer.alloc(8)])],
  ])('that is damaged is an error: %s', async (_, bytes) => {
    await expect(buffer(gunzip(inPieces(bytes, 1000)))).rejects.toMatchObject({ code: 'cluster.rejected' });
  });

  test('of a connection that breaks ends in the error of the connection', async () => {
    const cut = new DaprMtlsError('cluster.unreachable', { message: 'reset', hint: 'Try again.' });
    const chunks = (async function* () {
      yield* inPieces(packed.subarray(0, 100_000), 1000);
      throw cut;
    })();
    await expect(buffer(gunzip(chunks))).rejects.toBe(cut);
  });

  test('waits while its reader is busy', async () => {
    let read = 0;
    const chunks = (async function* () {
      for await (const piece of inPieces(gzipSync(randomBytes(4_000_000)), 1000)) {
        read += piece.length;
        yield piece;
      }
    })();
    for await (const _ of gunzip(chunks)) {
      await setTimeout(100);
      break;
    }
    expect(read).toBeLessThan(1_000_000);
  });

  test('is let go when its reader has had enough', async () => {
    let letGo: (() => void) | undefined;
    const isLetGo = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const chunks = (async function* () {
      try {
        for (;;) yield* inPieces(packed, 1000);
      } finally {
        letGo?.();
      }
    })();
    for await (const _ of gunzip(chunks)) break;
    await isLetGo;
  });

  test('that has come as a whole is unpacked up to a limit', () => {
    expect(gunzipWhole(gzipSync('{"kind":"Status"}'), 100).toString()).toBe('{"kind":"Status"}');
    expect(gunzipWhole(packed, 100)).toHaveLength(0);
    expect(gunzipWhole(plain, 2_000_000)).toHaveLength(0);
  });
});
