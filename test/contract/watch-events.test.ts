import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Announcement, Announcer } from '../../src/app/watch/ports.ts';
import { openEventPoster } from '../../src/kube/events/post-event.ts';
import type { Cluster, KubeObject } from '../../src/kube/port.ts';
import { resources } from '../../src/kube/resources.ts';
import { matches } from '../support/api-server/request.ts';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { controlPlaneObjects } from '../support/dapr-control-plane.ts';
import { namespace, openClient, refusalOf } from './kube-client.ts';

const rootExpires: Announcement = {
  type: 'Warning',
  reason: 'RootExpiring',
  message: 'Dapr root certificate expiration warning: certificate expires in 2 days and 15 hours',
  about: 'root 5f3a',
};
const sentryRef = { resource: resources.deployments, namespace, name: 'dapr-sentry' };

let server: ApiServer;
let cluster: Cluster;
let now: Date;

beforeEach(async () => {
  server = await startApiServer();
  server.store.put(...controlPlaneObjects({}));
  server.allow('admin', {
    allow: [{ namespace, verbs: ['create', 'patch'], apiGroups: [''], resources: ['events'] }],
  });
  cluster = await openClient(server.kubeconfig());
  now = new Date('2026-11-22T01:00:00.123Z');
});
afterEach(async () => {
  cluster.close();
  await server.stop();
});

/** One replica. */
function announcer(host = 'watch-0'): Announcer {
  const poster = openEventPoster(cluster, { component: 'dapr-mtls', host }, () => now);
  return {
    announce: (announcement) => poster.post(announcement, server.store.get(sentryRef) as KubeObject),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: an Event as it stands there
const events = (): any[] =>
  [...new Set(server.requests.flatMap(({ body, method }) => (method === 'POST' ? JSON.parse(body).metadata.name : [])))]
    .map((name) => server.store.get({ resource: resources.events, namespace, name }))
    .filter((event) => event !== undefined);

test('stands among the events that kubectl describe shows of the Deployment', async () => {
  await announcer().announce(rootExpires);
  const sentry = server.store.get(sentryRef);
  expect(events()).toMatchObject([
    {
      type: 'Warning',
      reason: 'RootExpiring',
      message: rootExpires.message,
      count: 1,
      firstTimestamp: '2026-11-22T01:00:00Z',
      lastTimestamp: '2026-11-22T01:00:00Z',
      involvedObject: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        namespace,
        name: 'dapr-sentry',
        uid: sentry?.metadata.uid,
      },
      source: { component: 'dapr-mtls', host: 'watch-0' },
    },
  ]);
});

test('is counted where it was repeated, also by another replica, with its last words', async () => {
  const first = announcer();
  await first.announce(rootExpires);
  now = new Date('2026-11-22T02:00:00Z');
  await first.announce({ ...rootExpires, message: 'an hour less' });
  now = new Date('2026-11-22T03:00:00Z');
  await announcer('watch-1').announce(rootExpires);
  expect(events()).toMatchObject([
    {
      count: 3,
      message: rootExpires.message,
      firstTimestamp: '2026-11-22T01:00:00Z',
      lastTimestamp: '2026-11-22T03:00:00Z',
    },
  ]);
});

test('is another one for another reason and for something else', async () => {
  const { announce } = announcer();
  await announce(rootExpires);
  await announce({ ...rootExpires, about: 'root 77aa' });
  await announce({ ...rootExpires, reason: 'RootExpired' });
  expect(events().map(({ count }) => count)).toEqual([1, 1, 1]);
});

test('is made anew and counted on where the server has forgotten it, as it does after an hour', async () => {
  const { announce } = announcer();
  await announce(rootExpires);
  await announce(rootExpires);
  const [{ metadata }] = events();
  server.store.remove({ resource: resources.events, namespace, name: metadata.name });
  now = new Date('2026-11-22T03:00:00Z');
  await announce(rootExpires);
  expect(events()).toMatchObject([
    { count: 3, firstTimestamp: '2026-11-22T01:00:00Z', lastTimestamp: '2026-11-22T03:00:00Z' },
  ]);
});

test('loses no count where two replicas write at once', async () => {
  const hook = server.onRequest(async (request) => {
    if (!matches('create events')(request)) return;
    hook();
    await announcer('watch-1').announce(rootExpires);
  });
  await announcer().announce(rootExpires);
  expect(events()).toMatchObject([{ count: 2 }]);
});

test('is cut where it is longer than the API server takes', async () => {
  await announcer().announce({ ...rootExpires, message: 'x'.repeat(5_000) });
  expect(events()[0].message).toHaveLength(1024);
});

test('is refused in words that name the right', async () => {
  server.allow('admin', { allow: [] });
  const refusal = await refusalOf(announcer().announce(rootExpires));
  expect(refusal).toMatchObject({ code: 'cluster.forbidden' });
  expect(refusal.message).toContain('events');
});
