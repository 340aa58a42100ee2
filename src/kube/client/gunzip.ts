import { pipeline } from 'node:stream';
import { createGunzip, gunzipSync } from 'node:zlib';
import { DaprMtlsError } from '../../errors.ts';

/** Servers send a kilobyte at a time. Each piece is a turn of a thread, which would cost more than its work. */
const pieceBytes = 64 * 1024;
const unpackedBytes = 128 * 1024;

/**
 * Unpacks a body while it comes, in a thread of its own.
 * @throws DaprMtlsError `cluster.rejected` for what is no whole gzip, and what `chunks` throws
 */
export async function* gunzip(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const unpacked = createGunzip({ chunkSize: unpackedBytes });
  // What goes wrong comes out of the loop.
  pipeline(gather(chunks), unpacked, () => undefined);
  try {
    yield* unpacked;
  } catch (error) {
    if (error instanceof DaprMtlsError) throw error;
    throw new DaprMtlsError('cluster.rejected', {
      message: 'the answer of the API server cannot be unpacked: it is damaged or cut short',
      hint: 'Run it again. If it stays so, a proxy between here and the API server changes its answers.',
      cause: error,
    });
  }
}

async function* gather(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let gathered: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    gathered.push(chunk);
    length += chunk.length;
    if (length < pieceBytes) continue;
    yield Buffer.concat(gathered, length);
    gathered = [];
    length = 0;
  }
  yield Buffer.concat(gathered, length);
}

/** A body that has come as a whole. Empty where it is no gzip, or more than `maxBytes` of text. */
export function gunzipWhole(body: Buffer, maxBytes: number): Buffer {
  try {
    return gunzipSync(body, { maxOutputLength: maxBytes });
  } catch {
    return Buffer.alloc(0);
  }
}
