import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { run } from '../support/command-line.ts';
import { runningControlPlane } from '../support/dapr-control-plane.ts';
import { fixturePath, readForeignBundle } from '../support/fixtures.ts';

let server: ApiServer;
beforeAll(async () => {
  server = await startApiServer();
  server.store.put(...runningControlPlane({ bundle: readForeignBundle('sentry-1.17') }));
});
afterAll(() => server.stop());

const line = /^ *(\d+\.\d) ms {2}([a-z ]+)$/;

async function phasesOf(words: readonly string[]): Promise<{ phases: string[]; status: number | null }> {
  const env = { KUBECONFIG: server.kubeconfig() };
  const plain = await run([...words, '--at', '2026-12-01'], { env });
  const timed = await run([...words, '--at', '2026-12-01'], { env: { ...env, DAPR_MTLS_TIMINGS: '1' } });
  expect(timed.stdout).toBe(plain.stdout);
  const lines = timed.stderr.split('\n');
  expect(lines.filter((text) => !line.test(text)).join('\n')).toBe(plain.stderr);
  const marks = lines.flatMap((text) => [...text.matchAll(new RegExp(line, 'g'))]);
  const times = marks.map(([, ms]) => Number(ms));
  expect(times).toEqual([...times].sort((a, b) => a - b));
  return { phases: marks.map(([, , phase = '']) => phase), status: timed.status };
}

describe('DAPR_MTLS_TIMINGS=1', () => {
  test.each<[string, string[], string[]]>([
    ['a directory', ['expiry', '--dir', fixturePath('pki/sentry-1.17')], ['loaded', 'parsed', 'rendered', 'done']],
    ['a cluster', ['expiry', '-k'], ['loaded', 'parsed', 'connected', 'first byte', 'answered', 'rendered', 'done']],
  ])('tells of %s when each phase was reached, and changes nothing else', async (_what, words, phases) => {
    expect(await phasesOf(words)).toEqual({ phases, status: 0 });
  });

  test('tells of each of several requests', async () => {
    const { phases } = await phasesOf(['status', '-k']);
    expect(phases.filter((phase) => phase === 'answered')).toHaveLength(4);
  });

  test('tells of a failure when it ended', async () => {
    const { phases, status } = await phasesOf(['expiry', '--dir', '/nowhere']);
    expect([phases, status]).toEqual([['loaded', 'parsed', 'done'], 5]);
  });
});
