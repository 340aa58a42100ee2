import { describe, expect, test } from 'vitest';
import { groupByWorkload } from '../../src/app/restart/applications.ts';
import { chooseApplications, parseWorkloadName } from '../../src/app/restart/choose-applications.ts';
import { assertSentryMayStart } from '../../src/app/restart/judge-stored-bundle.ts';
import { judgeApplications } from '../../src/app/restart/plan-applications.ts';
import { judgeServices } from '../../src/app/restart/plan-control-plane.ts';
import { describeLedger, emptyLedger, type RestartProgress, recordProgress } from '../../src/app/restart/progress.ts';
import { runInTurns } from '../../src/app/restart/run-in-turns.ts';
import { judgeWebhook } from '../../src/app/restart/webhook.ts';
import { readScope } from '../../src/cli/restart-input.ts';
import { spin, writeLines } from '../../src/cli/restart-progress.ts';
import { type RollingWorkload, type WorkloadKind, workloadRef } from '../../src/kube/rollout/workload.ts';
import { fixtureInstant, readFixture, readForeignBundle } from '../support/fixtures.ts';

const namespace = 'dapr-system';

describe('the control plane', () => {
  const service = (kind: WorkloadKind, name: string, spec: RollingWorkload['spec'] | undefined = { replicas: 1 }) => {
    const workload: RollingWorkload = { kind, metadata: { name, namespace }, spec: { ...spec } };
    return { ref: workloadRef(kind, namespace, name), workload };
  };
  const sentry = service('Deployment', 'dapr-sentry');
  const operator = service('Deployment', 'dapr-operator');
  const placement = service('StatefulSet', 'dapr-placement-server', { replicas: 3 });
  const absent = (name: string) => ({ ref: workloadRef('StatefulSet', namespace, name), workload: undefined });

  test('is restarted in the order of its services; what is not there or scaled to 0 is left', () => {
    const plan = judgeServices(
      [sentry, service('Deployment', 'dapr-operator', { replicas: 0 }), placement, absent('dapr-scheduler-server')],
      namespace,
    );
    expect(plan.due.map(({ ref, pods }) => [ref.name, pods])).toEqual([
      ['dapr-sentry', 1],
      ['dapr-placement-server', 3],
    ]);
    expect(plan.left.map(({ name, reason }) => [name, reason])).toEqual([
      ['dapr-operator', 'it is scaled to 0'],
      ['dapr-scheduler-server', 'it is not there'],
    ]);
  });

  test.each([
    [
      'a paused Deployment',
      service('Deployment', 'dapr-operator', { paused: true }),
      /deploy\/dapr-operator .* it is paused/,
      /rollout resume/,
    ],
    [
      'a StatefulSet that rolls by hand',
      service('StatefulSet', 'dapr-placement-server', { replicas: 1, updateStrategy: { type: 'OnDelete' } }),
      /OnDelete/,
      /RollingUpdate/,
    ],
  ])('%s is refused before anything is restarted', (_, refused, message, hint) => {
    const plan = () => judgeServices([sentry, refused], namespace);
    expect(plan).toThrow(expect.objectContaining({ code: 'rollout.failed', hint: expect.stringMatching(hint) }));
    expect(plan).toThrow(message);
    expect(plan).toThrow('nothing was restarted');
  });

  test('a paused service that has no pods is skipped like any other of these', () => {
    const paused = service('Deployment', 'dapr-operator', { paused: true, replicas: 0 });
    expect(judgeServices([sentry, paused], namespace).due).toHaveLength(1);
  });

  test.each([
    ['is not there', { ...sentry, workload: undefined }],
    ['is scaled to 0', service('Deployment', 'dapr-sentry', { replicas: 0 })],
  ])('nothing is restarted while Sentry %s', (_, missing) => {
    expect(() => judgeServices([missing, operator], namespace)).toThrow(
      expect.objectContaining({ code: 'dapr.missing', message: expect.stringContaining('nothing was restarted') }),
    );
  });
});

describe('a Sentry that starts now', () => {
  const fileNames = { anchors: 'ca.crt', issuerChain: 'issuer.crt', issuerKey: 'issuer.key' };
  const release = { major: 1, minor: 17, patch: 13 };
  const place = { namespace, fileNames, release };
  const metadata = { name: 'dapr-trust-bundle' };
  const bundle = readForeignBundle('sentry-1.17');
  const data = {
    'ca.crt': bundle.anchors.toString('base64'),
    'issuer.crt': bundle.issuerChain.toString('base64'),
    'issuer.key': bundle.issuerKey.toString('base64'),
  };
  const secret = { metadata, data };
  const anchors = bundle.anchors.toString();
  const configMap = { metadata, data: { 'ca.crt': anchors } };

  test.each([
    ['both objects are one bundle', { secret, configMap }, place],
    ['the Secret may not be read', { secret: 'unread' as const, configMap }, place],
    ['the ConfigMap may not be read', { secret, configMap: 'unread' as const }, place],
    ['Dapr has no ConfigMap yet', { secret, configMap: undefined }, { ...place, release: { ...release, minor: 11 } }],
    ['there is none and the version is not known', { secret, configMap: undefined }, { ...place, release: undefined }],
  ])('takes the bundle where %s', (_, objects, where) => {
    expect(() => assertSentryMayStart(objects, where, fixtureInstant)).not.toThrow();
  });

  test.each([
    [
      'differ by a byte',
      { secret, configMap: { metadata, data: { 'ca.crt': anchors.trimEnd() } } },
      'store.mismatch',
      'makes a new root',
    ],
    [
      'lack a key',
      { secret: { metadata, data: { ...data, 'issuer.key': '' } }, configMap },
      'store.missing',
      'no issuer.key',
    ],
    ['are empty', { secret: { metadata }, configMap }, 'store.missing', 'makes a new root'],
    ['lack the anchors', { secret, configMap: { metadata } }, 'store.missing', 'makes a new root'],
    ['have no Secret', { secret: undefined, configMap }, 'store.missing', 'exits'],
    ['have no ConfigMap', { secret, configMap: undefined }, 'store.missing', 'exits'],
    [
      'have no ConfigMap, and the Secret is not read',
      { secret: 'unread' as const, configMap: undefined },
      'store.missing',
      'exits',
    ],
  ])('is not let loose on objects that %s', (_, objects, code, message) => {
    const assertion = () => assertSentryMayStart(objects, place, fixtureInstant);
    expect(assertion).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
    expect(assertion).toThrow('nothing was restarted');
  });

  test.each([
    ['a Secret', { secret: undefined, configMap }, 'repair -k --from backup'],
    [
      'a part of the Secret',
      { secret: { metadata, data: { ...data, 'ca.crt': '' } }, configMap },
      'repair -k --from backup',
    ],
    ['a ConfigMap', { secret, configMap: undefined }, 'repair -k --from secret'],
    ['the anchors in the ConfigMap', { secret, configMap: { metadata } }, 'repair -k --from secret'],
  ])('without %s is helped by what is whole', (_, objects, mend) => {
    const hint = expect.stringContaining(`dapr-mtls ${mend}`);
    expect(() => assertSentryMayStart(objects, place, fixtureInstant)).toThrow(expect.objectContaining({ hint }));
  });

  const withSecret = (name: string, bytes: Buffer) => ({
    metadata,
    data: { ...data, [name]: bytes.toString('base64') },
  });
  const other = readForeignBundle('sentry-1.18');

  test.each([
    ['has ended', { secret, configMap }, new Date('2028-01-01T00:00:00Z'), 'expired'],
    [
      'is of another root',
      {
        secret: {
          metadata,
          data: {
            ...withSecret('issuer.crt', other.issuerChain).data,
            'issuer.key': other.issuerKey.toString('base64'),
          },
        },
        configMap,
      },
      fixtureInstant,
      'issuer chain does not belong to trust anchors',
    ],
    [
      'has the key of another',
      { secret: withSecret('issuer.key', other.issuerKey), configMap },
      fixtureInstant,
      'does not match',
    ],
    [
      'is no PEM',
      { secret: withSecret('issuer.crt', Buffer.from('x')), configMap },
      fixtureInstant,
      'no certificates found',
    ],
    [
      'is no PEM, and the ConfigMap is not read',
      { secret: withSecret('issuer.key', Buffer.from('x')), configMap: 'unread' as const },
      fixtureInstant,
      'not PEM',
    ],
  ])('is not let loose on a bundle whose issuer %s', (_, objects, at, reason) => {
    expect(() => assertSentryMayStart(objects, place, at)).toThrow(
      expect.objectContaining({
        code: 'trust.refused',
        message: expect.stringMatching(new RegExp(`${reason}.*nothing was restarted$`)),
        hint: expect.stringContaining('dapr-mtls repair -k --from backup'),
      }),
    );
  });
});

describe("the injector's webhook", () => {
  const [one, other] = [readFixture('pki/sentry-1.17/ca.crt'), readFixture('pki/sentry-1.18/ca.crt')];
  const webhook = (...pems: Buffer[]) => ({
    metadata: { name: 'dapr-sidecar-injector' },
    webhooks: [{ clientConfig: { caBundle: Buffer.concat(pems).toString('base64') } }],
  });

  test('fits in another order and with other line ends', () => {
    const windows = Buffer.from(one.toString().replaceAll('\n', '\r\n'));
    expect(judgeWebhook(webhook(other, windows), Buffer.concat([one, Buffer.from('\n'), other]))).toBeUndefined();
  });

  test.each([
    ['another root', webhook(other), 'another caBundle'],
    ['a root too few', webhook(one), 'another caBundle'],
    ['no caBundle', webhook(), 'no caBundle'],
    ['no webhook', { metadata: { name: 'x' } }, 'no caBundle'],
  ])('does not fit with %s', (_, configuration, reason) => {
    expect(judgeWebhook(configuration, Buffer.concat([one, other]))).toContain(reason);
  });
});

describe('applications', () => {
  const pod = (kind: string, name: string, more: object = {}) => ({
    namespace: 'shop',
    phase: 'Running',
    deletionTimestamp: undefined,
    workload: { kind, name },
    ...more,
  });

  test('are grouped by what replaces their pods; the others need a hand', () => {
    const { due, left } = groupByWorkload([
      pod('StatefulSet', 'store'),
      pod('Deployment', 'cart'),
      pod('Deployment', 'cart'),
      pod('Deployment', 'cart', { namespace: 'late' }),
      pod('DaemonSet', 'agent'),
      pod('Deployment', 'gone', { phase: 'Succeeded' }),
      pod('Deployment', 'gone', { phase: 'Failed' }),
      pod('Deployment', 'gone', { deletionTimestamp: new Date() }),
      pod('Rollout', 'canary'),
      pod('Job', 'nightly'),
      pod('Pod', 'alone'),
      pod('CloneSet', 'kruise'),
    ]);
    expect(due.map(({ ref, pods }) => [ref.namespace, ref.resource.kind, ref.name, pods])).toEqual([
      ['late', 'Deployment', 'cart', 1],
      ['shop', 'DaemonSet', 'agent', 1],
      ['shop', 'Deployment', 'cart', 2],
      ['shop', 'StatefulSet', 'store', 1],
    ]);
    expect(left.map(({ kind, name, action, reason }) => [kind, name, action, reason])).toEqual([
      ['CloneSet', 'kruise', 'by-hand', expect.stringContaining('one by one')],
      ['Job', 'nightly', 'by-hand', expect.stringContaining('next run')],
      ['Pod', 'alone', 'by-hand', expect.stringContaining('create it again')],
      ['Rollout', 'canary', 'by-hand', expect.stringContaining('kubectl argo rollouts restart canary -n shop')],
    ]);
  });

  test.each([
    ['deploy/cart', 'Deployment', 'cart'],
    ['deployments.apps/cart', 'Deployment', 'cart'],
    ['sts/store.1', 'StatefulSet', 'store.1'],
    ['daemonset/agent', 'DaemonSet', 'agent'],
  ])('--only %s names a %s', (text, kind, name) => {
    expect(parseWorkloadName(text)).toEqual({ kind, name });
  });

  test.each(['cart', 'pod/cart', 'deploy/', 'deploy/Cart', 'deploy/a/b', '../x', 'constructor/x'])(
    '--only %s is refused',
    (text) => {
      expect(() => parseWorkloadName(text)).toThrow(expect.objectContaining({ code: 'usage.invalid' }));
    },
  );

  const found = groupByWorkload([pod('Deployment', 'cart'), pod('Deployment', 'pay'), pod('Pod', 'alone')]);

  test('only those that are named are chosen, each once', () => {
    const cart = parseWorkloadName('deploy/cart');
    expect(chooseApplications(found, [cart, cart])).toEqual({ due: [found.due[0]], left: [] });
    expect(chooseApplications(found, [])).toBe(found);
  });

  test('a name that is not there is answered with those that are', () => {
    expect(() => chooseApplications(found, [parseWorkloadName('deploy/card')])).toThrow(
      expect.objectContaining({ hint: 'There are deploy/cart -n shop, deploy/pay -n shop.' }),
    );
  });

  test('paused ones are left, half ones are said, missing ones need a hand', () => {
    const chosen = groupByWorkload([pod('Deployment', 'a'), pod('Deployment', 'b'), pod('StatefulSet', 'c')]);
    const workload = (kind: WorkloadKind, spec: RollingWorkload['spec']): RollingWorkload => ({
      kind,
      metadata: { name: 'x' },
      spec: { ...spec },
    });
    const half = { type: 'RollingUpdate', rollingUpdate: { partition: 2 } };
    const plan = judgeApplications(chosen, [
      workload('Deployment', { paused: true }),
      undefined,
      workload('StatefulSet', { updateStrategy: half }),
    ]);
    expect(plan.due.map(({ ref }) => ref.name)).toEqual(['c']);
    expect(plan.left.map(({ name, action }) => [name, action])).toEqual([
      ['a', 'skipped'],
      ['b', 'by-hand'],
    ]);
    expect(plan.remarks).toEqual([
      'statefulsets/c -n shop has partition 2: its pods below that number are not replaced',
    ]);
  });
});

describe('the books of a restart', () => {
  const planned: RestartProgress = { kind: 'planned', workloads: ['a', 'b', 'c'] };
  const begin = (workload: string): RestartProgress => ({ kind: 'restarting', workload });
  const back = (workload: string): RestartProgress => ({ kind: 'restarted', workload, elapsedMs: 1 });

  test.each<[RestartProgress[], string]>([
    [[], 'nothing was restarted'],
    [[planned], 'nothing was restarted'],
    [[planned, begin('a')], 'under way: a; not restarted: b, c'],
    [
      [planned, begin('a'), { kind: 'waiting', workload: 'a', message: '', isTrouble: false }, back('a'), begin('b')],
      'restarted: a; under way: b; not restarted: c',
    ],
    [[planned, begin('a'), begin('b'), back('b'), begin('c'), back('c'), back('a')], 'restarted: b, c, a'],
  ])('%#', (events, text) => {
    expect(describeLedger(events.reduce(recordProgress, emptyLedger))).toBe(text);
  });

  test('stay short for many workloads', () => {
    const workloads = Array.from({ length: 30 }, (_, index) => `w${index}`);
    const ledger = [{ kind: 'planned', workloads } as const, begin('w0')].reduce(recordProgress, emptyLedger);
    expect(describeLedger(ledger)).toBe(
      'under way: w0; not restarted: w1, w2, w3, w4, w5, w6, w7, w8, w9, w10 and 19 more',
    );
  });
});

describe('tasks in turns', () => {
  test('are begun in order, so many at a time, and answer in order', async () => {
    let running = 0;
    let most = 0;
    const results = await runInTurns([5, 1, 3, 2, 4], 2, async (item) => {
      running++;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, item));
      running--;
      return item * 10;
    });
    expect(results).toEqual([50, 10, 30, 20, 40]);
    expect(most).toBe(2);
  });

  test('stop at the first failure; those under way are told and waited for', async () => {
    const begun: number[] = [];
    const ended: [number, boolean][] = [];
    const run = runInTurns([0, 1, 2, 3], 2, async (item, hasFailed) => {
      begun.push(item);
      if (item === 1) throw new Error('the first');
      await new Promise((resolve) => setTimeout(resolve, 5));
      ended.push([item, hasFailed()]);
      throw new Error('a later one');
    });
    await expect(run).rejects.toThrow('the first');
    expect(begun).toEqual([0, 1]);
    expect(ended).toEqual([[0, true]]);
  });
});

describe('the words of the command line', () => {
  const plain = {
    namespace: undefined,
    'control-plane-namespace': undefined,
    apps: false,
    'all-namespaces': false,
    only: undefined,
  };
  const cart = parseWorkloadName('deploy/cart');

  test.each([
    [{}, { controlPlaneNamespace: undefined, applications: undefined }],
    [{ namespace: 'd' }, { controlPlaneNamespace: 'd', applications: undefined }],
    [{ 'control-plane-namespace': 'd' }, { controlPlaneNamespace: 'd', applications: undefined }],
    [{ apps: true }, { controlPlaneNamespace: undefined, applications: { namespace: 'context', only: [] } }],
    [
      { apps: true, namespace: 'shop', 'control-plane-namespace': 'd', only: [cart] },
      { controlPlaneNamespace: 'd', applications: { namespace: 'shop', only: [cart] } },
    ],
    [
      { apps: true, 'all-namespaces': true },
      { controlPlaneNamespace: undefined, applications: { namespace: undefined, only: [] } },
    ],
  ])('%o', (words, scope) => {
    expect(readScope({ ...plain, ...words }, 'context')).toEqual(scope);
  });

  test('without a namespace in the context kubectl looks in default, and so is done here', () => {
    expect(readScope({ ...plain, apps: true }, undefined).applications?.namespace).toBe('default');
  });

  test.each([
    [{ 'all-namespaces': true }],
    [{ only: [cart] }],
    [{ apps: true, 'all-namespaces': true, namespace: 'shop' }],
    [{ namespace: 'a', 'control-plane-namespace': 'b' }],
  ])('%o contradict each other', (words) => {
    expect(() => readScope({ ...plain, ...words }, 'context')).toThrow(
      expect.objectContaining({ code: 'usage.invalid' }),
    );
  });
});

describe('progress', () => {
  const events: RestartProgress[] = [
    { kind: 'skipped', workload: 'dapr-scheduler-server', reason: 'it is not there' },
    { kind: 'planned', workloads: ['deploy/a', 'deploy/b'] },
    { kind: 'restarting', workload: 'deploy/a' },
    { kind: 'restarting', workload: 'deploy/b' },
    { kind: 'waiting', workload: 'deploy/a', message: '0 of 1 new pods are available', isTrouble: false },
    { kind: 'waiting', workload: 'deploy/a', message: 'pod a-1: \u001b[31mred', isTrouble: true },
    { kind: 'restarted', workload: 'deploy/a', elapsedMs: 12_000 },
    { kind: 'remark', text: 'There is no webhook' },
    { kind: 'restarted', workload: 'deploy/b', elapsedMs: 61_000 },
  ];

  test('is a line for every step where nobody watches', () => {
    const lines: string[] = [];
    const streams = { note: (text: string) => lines.push(text), warn: (text: string) => lines.push(`! ${text}`) };
    const { show, close } = writeLines(streams, () => new Date(5000));
    events.forEach(show);
    close();
    expect(lines).toEqual([
      'dapr-scheduler-server is skipped: it is not there\n',
      'Restarting deploy/a..\n',
      'Restarting deploy/b..\n',
      'deploy/a: pod a-1: \u001b[31mred\n',
      'deploy/a is back after 12 seconds\n',
      '! There is no webhook\n',
      'deploy/b is back after 1 minute 1 second\n',
    ]);
  });

  test('does not call a restart its own that an earlier run has begun', () => {
    const lines: string[] = [];
    const streams = { note: (text: string) => lines.push(text), warn: () => {} };
    const { show } = writeLines(streams, () => new Date(5000));
    show({ kind: 'restarting', workload: 'deploy/a', isBegun: true });
    show({ kind: 'restarted', workload: 'deploy/a', elapsedMs: 3, isBegun: true });
    expect(lines).toEqual(['deploy/a is well already\n']);
  });

  test('counts pods in a log four times a minute at most', () => {
    const lines: string[] = [];
    let second = 0;
    const streams = { note: (text: string) => lines.push(text), warn: () => {} };
    const { show } = writeLines(streams, () => new Date(second * 1000));
    show({ kind: 'restarting', workload: 'deploy/a' });
    for (second = 1; second <= 60; second++) {
      show({ kind: 'waiting', workload: 'deploy/a', message: `${second} of 99 new pods are made`, isTrouble: false });
    }
    expect(lines).toEqual([
      'Restarting deploy/a..\n',
      ...[15, 30, 45, 60].map((count) => `deploy/a: ${count} of 99 new pods are made\n`),
    ]);
  });

  test('is one moving line on a terminal, and a lasting one for what is back', () => {
    const shown: string[] = [];
    const { show, close } = spin(
      { note: (text) => shown.push(text), warn: (text) => shown.push(`! ${text}`) },
      { start: (text) => shown.push(`~ ${text}`), stop: () => shown.push('stopped') },
    );
    events.slice(2).forEach(show);
    close();
    expect(shown).toEqual([
      '~ deploy/a: restarting',
      '~ deploy/a: restarting\n  deploy/b: restarting',
      '~ deploy/a: 0 of 1 new pods are available\n  deploy/b: restarting',
      '~ deploy/a: pod a-1: \\u001b[31mred\n  deploy/b: restarting',
      'deploy/a is back after 12 seconds\n',
      '~ deploy/b: restarting',
      '! There is no webhook\n',
      '~ deploy/b: restarting',
      'deploy/b is back after 1 minute 1 second\n',
      'stopped',
      'stopped',
    ]);
    show({ kind: 'restarting', workload: 'deploy/c' });
    expect(shown.at(-1)).toBe('stopped');
  });
});
