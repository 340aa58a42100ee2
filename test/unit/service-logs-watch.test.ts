import { expect, test } from 'vitest';
import { readServiceLogs } from '../../src/app/logs/service-logs.ts';
import { sleep } from '../../src/cli/open-cluster.ts';
import type { Cluster } from '../../src/kube/port.ts';

const pod = { metadata: { name: 'sentry-a', uid: 'a', labels: { app: 'dapr-sentry' } } };

test('that pods which come are not seen for now is remarked, and what is there goes on', async () => {
  const stop = new AbortController();
  const cluster = {
    async *list() {
      yield pod;
    },
    async *logs() {
      yield { at: '2026-11-22T01:02:03.000000000Z', text: 'one' };
    },
    async *watch(...[, , signal, health]: Parameters<Cluster['watch']>) {
      health?.onTrouble(new Error('the API server has too much to do (429)'));
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  } as unknown as Cluster;
  const remarks: string[] = [];
  const wish = {
    namespace: 'dapr-system',
    services: ['dapr-sentry'],
    follow: true,
    previous: false,
    sinceSeconds: undefined,
    tailLines: undefined,
  };
  const surroundings = {
    clock: { nowMs: () => performance.now(), wait: sleep },
    signal: stop.signal,
    remark: (sentence: string) => remarks.push(sentence),
  };
  const lines: string[] = [];
  for await (const { text } of readServiceLogs(cluster, wish, surroundings)) {
    lines.push(text);
    stop.abort();
  }
  expect(lines).toEqual(['one']);
  expect(remarks).toEqual([
    'Pods that come are not seen for now, and it is tried again: the API server has too much to do (429)',
  ]);
});
