import { type Answer, type Broken, codeOf } from './answer.ts';
import type { Line } from './call.ts';
import { connectionError, destinationOf } from './connection-error.ts';

/**
 * A body as it comes.
 * @param silenceMs so long may nothing come
 * @throws DaprMtlsError `cluster.unreachable` for a body that is cut or stops
 */
export async function* chunksOf(
  { access, timeoutMs }: Line,
  message: Answer,
  silenceMs = timeoutMs,
): AsyncGenerator<Buffer> {
  const silence = new AbortController();
  const timer = setTimeout(() => {
    silence.abort('timeout');
    message.destroy(new Error('the server fell silent'));
  }, silenceMs);
  // What is waited for keeps the process; a body that nobody reads any more must not.
  timer.unref();
  try {
    for await (const chunk of message) {
      timer.refresh();
      yield chunk;
    }
  } catch (error) {
    const cause = error as Error;
    const broken: Broken = { kind: 'broken', sent: true, code: codeOf(cause, silence.signal), cause };
    throw connectionError(broken, destinationOf(access, silenceMs), false);
  } finally {
    clearTimeout(timer);
  }
}
