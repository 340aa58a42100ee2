import { describe, expect, onTestFinished, test } from 'vitest';
import type { KubeObject } from '../../src/kube/port.ts';
import { startApiServer } from '../support/api-server/server.ts';
import { makeBundle } from '../support/bundles.ts';
import { run } from '../support/command-line.ts';
import { injectedWorkload } from '../support/dapr/injected-pods.ts';
import { runningControlPlane } from '../support/dapr-control-plane.ts';

const { files } = await makeBundle({ at: new Date() });

/** For longer than this nothing of a run may be waited for. */
const patienceMs = 60_000;

/** An audit asks for the labelled pods ahead, and of an old Dapr then for all of them. */
async function open(labelled: number) {
  const server = await startApiServer();
  onTestFinished(() => server.stop());
  const anchors = String(files.anchors);
  server.store.put(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } } as KubeObject,
    ...runningControlPlane({ bundle: files, version: '1.9.6' }),
    ...injectedWorkload({ anchors, version: '1.9.6', name: 'old' }),
    ...(labelled > 0 ? injectedWorkload({ anchors, name: 'new', replicas: labelled }) : []),
  );
  return server;
}

describe('an audit that does not need what it asked for ahead', () => {
  test.each([0, 1, 500])('ends when it has its answer, beside %i labelled pods', async (labelled) => {
    const server = await open(labelled);
    const words = ['audit', '--kubeconfig', server.kubeconfig(), '--format', 'json', '--request-timeout', '3600'];
    const { status, stdout } = await run(words, { timeoutMs: patienceMs });
    expect(JSON.parse(stdout)).toMatchObject({ scope: { pods: 'all' }, totals: { sidecars: labelled + 1 } });
    expect(status).toBe(0);
  });

  test('ends with 10 under a bundle that nobody verifies, and tells so although it is quiet', async () => {
    const server = await startApiServer();
    onTestFinished(() => server.stop());
    server.store.put(...runningControlPlane({ bundle: files }));
    const words = ['audit', '--kubeconfig', server.kubeconfig(), '--quiet', '--at', '2100-01-01', '--fail-on', 'error'];
    const { status, stdout, stderr } = await run(words, { timeoutMs: patienceMs });
    expect(stdout).toMatch(/^No sidecars\n/);
    expect(stderr).toMatch(/^Warning: nobody verifies this bundle, whatever they hold: .*expired.*\n$/);
    expect(status).toBe(10);
  });

  test('ends when it has its error', async () => {
    const server = await open(500);
    const words = ['audit', '--kubeconfig', server.kubeconfig(), '-n', 'nowhere', '--request-timeout', '3600'];
    const { status, stderr } = await run(words, { timeoutMs: patienceMs });
    expect(stderr).toMatch(/^Error: /);
    expect(status).toBe(5);
  });
});
