import { DaprMtlsError } from '../../errors.ts';

const newline = 0x0a;

/** One event holds one object, of 1 MiB and what is said about it. */
const longestLine = 8 * 1024 * 1024;

/**
 * The lines of a body, without their ends. What stands behind the last end was cut and is dropped.
 * @throws DaprMtlsError `cluster.rejected` for a line without an end
 */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      yield Buffer.concat([...parts, chunk.subarray(start, end)]).toString('utf8');
      parts = [];
      length = 0;
      start = end + 1;
    }
    parts.push(chunk.subarray(start));
    length += chunk.length - start;
    if (length <= longestLine) continue;
    throw new DaprMtlsError('cluster.rejected', {
      message: 'the API server sent an event that is too large to be one',
      hint: 'See what stands at that address: kubectl get --raw /version',
    });
  }
}
