import { expect, onTestFinished, test } from 'vitest';
import { startApiServer } from '../support/api-server/server.ts';
import { runningControlPlane } from '../support/dapr-control-plane.ts';
import { readForeignBundle } from '../support/fixtures.ts';
import { startWatching } from '../support/watching.ts';

test('that it cannot lead is a warning with the Role, and the figures stay ready', async () => {
  const server = await startApiServer();
  onTestFinished(() => server.stop());
  server.store.put(...runningControlPlane({ bundle: readForeignBundle('sentry-1.17') }));
  server.allow('admin', { allow: 'all', deny: [{ verb: 'get', resource: 'leases' }] });
  const words = ['-k', '--leader-elect', '--no-sidecars', '--at', '2028-06-01', '--listen', '127.0.0.1:0'];
  const watching = startWatching(words, { KUBECONFIG: server.kubeconfig() });
  await watching.said(/Watching/);
  await watching.said(/level=warning.*cannot take or keep the lead.*resources: \[\\"leases\\"\]/);
  const address = /on (127\.0\.0\.1:\d+)/.exec(watching.stdout())?.[1];
  expect((await fetch(`http://${address}/readyz`)).status).toBe(200);
  expect(watching.stdout()).not.toContain('has expired');
  server.allow('admin', { allow: 'all' });
  await watching.said(/This replica leads now/);
  await watching.said(/Dapr root certificate expiration warning: certificate has expired\./);
  await watching.stop();
});
