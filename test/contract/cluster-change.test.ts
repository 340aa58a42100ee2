import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createBackup, restoreBackup } from '../../src/app/backup.ts';
import { type UnionSource, uniteSides } from '../../src/app/unite.ts';
import { openCluster } from '../../src/cli/open-cluster.ts';
import { resources } from '../../src/kube/resources.ts';
import { claimKey } from '../../src/store/cluster/claim.ts';
import { keeperName, keeperRef } from '../../src/store/cluster/keeper.ts';
import { isProvablyDead } from '../../src/store/cluster/liveness.ts';
import {
  bundleName,
  type ConfigMapObject,
  configMapRef,
  type SecretObject,
  secretRef,
} from '../../src/store/cluster/objects.ts';
import { identifyThisProcess } from '../../src/store/directory/process-identity.ts';
import type { Denial } from '../support/api-server/access.ts';
import type { FaultAction } from '../support/api-server/faults.ts';
import { makeBundle } from '../support/bundles.ts';
import { expectWhole } from '../support/expect-whole.ts';
import { startTrustCluster, type TrustCluster } from '../support/trust-cluster.ts';

let trust: TrustCluster;

beforeEach(async () => {
  trust = await startTrustCluster();
});
afterEach(() => trust.stop());

/** Whole, and nothing of a run left. */
function expectSettled(): void {
  expectWhole(trust);
  expect(keeper()?.data?.[claimKey]).toBeUndefined();
}

const keeper = () => trust.server.store.get<SecretObject>(keeperRef(trust.place));
const bytes = () => JSON.stringify([trust.secret()?.data, trust.configMap()?.data]);
const inSecret = (file: string, text: string) =>
  trust.server.store.change<SecretObject>(secretRef(trust.place), (secret) => ({
    ...secret,
    data: { ...secret.data, [file]: Buffer.from(text).toString('base64') },
  }));

describe('a renewal', () => {
  test('writes both objects, keeps a copy, and leaves no claim', async () => {
    const before = trust.files();
    const { outcome, backup } = await trust.renew();
    expect(outcome).toBe('renewed');
    expect(backup?.id).toBe('0001');
    expectSettled();
    const opened = await trust.store().openBackup(undefined, undefined);
    expect(opened.files).toEqual(before);
  });

  test('asks for nothing but named objects, and never for a list of Secrets', async () => {
    await trust.renew();
    const lists = trust.server.requests.filter(({ target }) => target?.verb === 'list' || target?.verb === 'watch');
    expect(lists).toEqual([]);
  });

  test('of an issuer alone is one write of the Secret', async () => {
    const { bundle, rootKey } = await makeBundle({ at: new Date() });
    const { anchors, issuerChain, issuerKey } = bundle;
    expect(rootKey).toBeDefined();
    await trust.renew({ request: { kind: 'own', bundle: { anchors, issuerChain, issuerKey } } });
    const uid = trust.configMap()?.metadata.uid;
    // Of the same root another issuer, as a store sees it: the anchors stay as they are.
    const session = await trust.store().openForChange('tests');
    const { revision, files } = await session.read();
    const step = {
      name: 'a step',
      files: { issuerChain: Buffer.concat([files.issuerChain ?? Buffer.alloc(0), Buffer.from('\n')]) },
    };
    await session.apply({ steps: [step], sideFiles: [] }, revision);
    await session.close();
    expect(trust.configMap()?.metadata.uid).toBe(uid);
    expectSettled();
  });

  test('up to Dapr 1.11 knows the Secret alone', async () => {
    const old = await startTrustCluster({ hasConfigMap: false });
    try {
      expect((await old.renew()).outcome).toBe('renewed');
      expect(old.configMap()).toBeUndefined();
      const touched = old.server.requests.filter(({ path }) => path.includes('/configmaps') && !path.includes('?'));
      expect(touched.filter(({ method }) => method !== 'GET')).toEqual([]);
    } finally {
      await old.stop();
    }
  });

  test('is planned on once more when a label moved meanwhile, and is a conflict when the bundle did', async () => {
    let isMoved = false;
    const unhook = trust.server.onRequest(({ method, query }) => {
      if (isMoved || method !== 'PATCH' || !query.has('dryRun')) return;
      isMoved = true;
      trust.server.store.change<SecretObject>(secretRef(trust.place), (secret) => ({
        ...secret,
        metadata: { ...secret.metadata, labels: { ...secret.metadata.labels, moved: 'yes' } },
      }));
    });
    expect((await trust.renew()).outcome).toBe('renewed');
    unhook();
    expect(isMoved).toBe(true);
    expect(trust.secret()?.metadata.labels?.moved).toBe('yes');
    expectSettled();
    const session = await trust.store().openForChange('tests');
    const { revision } = await session.read();
    inSecret('issuer.crt', 'somebody was here');
    const step = { name: 'a step', files: { anchors: Buffer.from('new') } };
    await expect(session.apply({ steps: [step], sideFiles: [] }, revision)).rejects.toMatchObject({
      code: 'store.conflict',
      exitCode: 6,
    });
    await session.close();
  });

  test.each(['Secret', 'ConfigMap'] as const)(
    'is refused on an immutable %s before anything is written',
    async (kind) => {
      const ref = kind === 'Secret' ? secretRef(trust.place) : configMapRef(trust.place);
      trust.server.store.change<SecretObject>(ref, (object) => ({ ...object, immutable: true }));
      const before = bytes();
      await expect(trust.renew()).rejects.toMatchObject({ code: 'store.layout' });
      expect(bytes()).toBe(before);
      expect(keeper()).toBeUndefined();
    },
  );

  test('is refused where the Secret has no room for it', async () => {
    inSecret('other.bin', 'x'.repeat(1000 * 1024));
    await expect(trust.renew()).rejects.toMatchObject({ code: 'store.layout' });
    expect(keeper()).toBeUndefined();
  });

  test.each([
    ['another ca.crt', (map: ConfigMapObject) => ({ ...map, data: { ...map.data, 'ca.crt': 'other' } })],
    ['no ca.crt', (map: ConfigMapObject) => ({ ...map, data: {} })],
  ])('is refused while the ConfigMap holds %s', async (_, edit) => {
    trust.server.store.change<ConfigMapObject>(configMapRef(trust.place), edit);
    const before = bytes();
    await expect(trust.renew()).rejects.toMatchObject({ code: 'store.mismatch', exitCode: 6 });
    expect(bytes()).toBe(before);
  });
});

describe('a user who may do all but one thing', () => {
  const denials: Denial[] = [
    { verb: 'get', resource: 'secrets', name: bundleName },
    { verb: 'patch', resource: 'secrets', name: bundleName },
    { verb: 'get', resource: 'configmaps', name: bundleName },
    { verb: 'delete', resource: 'configmaps', name: bundleName },
    { verb: 'create', resource: 'configmaps' },
    { verb: 'get', resource: 'secrets', name: keeperName },
    { verb: 'create', resource: 'secrets' },
    { verb: 'patch', resource: 'secrets', name: keeperName },
  ];
  // Where the review tells what is missing, and where an authorizer cannot tell (`incomplete`).
  test.each(denials)('$verb $resource $name: nothing is half written, and the verb is named', async (denial) => {
    trust.server.allow('admin', { allow: 'all', deny: [denial] });
    const before = bytes();
    const error = await trust.renew().then(
      () => undefined,
      (reason) => reason,
    );
    expect(error).toMatchObject({ code: 'cluster.forbidden', exitCode: 3 });
    expect(error.message).toContain(denial.verb);
    expect(error.message).toContain(denial.resource);
    expect(bytes()).toBe(before);
    trust.server.allow('admin', { allow: 'all' });
    expect((await trust.renew()).outcome).toMatch(/renewed|finished/);
    expectSettled();
  });

  test('the Role that a refusal prints is enough', async () => {
    trust.server.allow('admin', { allow: [] });
    const grant = (resource: string, verbs: string[], resourceNames?: string[]) => ({
      apiGroups: [''],
      resources: [resource],
      verbs,
      ...(resourceNames ? { resourceNames } : {}),
    });
    trust.server.allow('admin', {
      allow: [
        grant('secrets', ['get', 'patch'], [bundleName, keeperName]),
        grant('configmaps', ['get', 'patch', 'delete'], [bundleName]),
        grant('secrets', ['create']),
        grant('configmaps', ['create']),
      ],
    });
    expect((await trust.renew()).outcome).toBe('renewed');
    expect((await trust.renew()).outcome).toBe('renewed');
    expectSettled();
  });
});

describe('an API server that fails', () => {
  const faults: readonly (readonly [string, FaultAction])[] = [
    ['answers 500', { status: 500 }],
    ['answers 500 after the write was done', { status: 500, afterWrite: true }],
    ['resets the connection', 'reset'],
    ['resets it after the write was done', 'reset-after-write'],
    ['answers 429', { status: 429, headers: { 'Retry-After': '0' } }],
  ];
  test.each(faults)(
    '%s, at any one of the writes: the bundle is whole after this run or the next',
    async (_, action) => {
      await trust.renew();
      const count = trust.server.requests.filter(isWrite).length;
      expect(count).toBeGreaterThan(5);
      for (let fatal = 1; fatal <= count + 1; fatal++) {
        let seen = 0;
        trust.server.faults.add({
          when: (request) => isWrite(request) && ++seen === fatal,
          do: action,
        });
        const error = await trust.renew().then(
          () => undefined,
          (reason) => reason,
        );
        trust.server.faults.clear();
        if (error) {
          expect(error.exitCode, String(error.stack)).toBeGreaterThan(1);
          expect((await trust.renew()).outcome).toMatch(/renewed|finished/);
        }
        expectSettled();
      }
    },
  );
});

function isWrite({ method, query }: { method: string; query: URLSearchParams }): boolean {
  return method !== 'GET' && !query.has('dryRun');
}

describe('two runs', () => {
  test('at once: one wins, the other exits 6', async () => {
    const flags = { context: undefined, kubeconfig: trust.server.kubeconfig(), 'request-timeout': 5 };
    const other = await openCluster(flags, {});
    try {
      for (let round = 0; round < 10; round++) {
        const options = { takeOverMs: 2000, pauseMs: 20 };
        const results = await Promise.allSettled([trust.renew({}, options), trust.renew({}, options, other)]);
        const lost = results.filter((result) => result.status === 'rejected');
        expect(lost.length).toBe(1);
        expect(lost[0]?.reason).toMatchObject({ exitCode: 6 });
        expectSettled();
      }
    } finally {
      other.close();
    }
  });

  test('a claim that does not move is taken over, one that moves is respected', async () => {
    const dead = await trust.store().openForChange('the dead one');
    const waits: number[] = [];
    const sleep = async (ms: number) => void waits.push(ms);
    expect((await trust.renew({}, { takeOverMs: 20_000, sleep })).outcome).toBe('renewed');
    expect(waits.reduce((sum, ms) => sum + ms, 0)).toBe(20_000);
    const { revision } = await dead.read();
    const step = { name: 'a step', files: (await makeBundle({ at: new Date() })).files };
    await expect(dead.apply({ steps: [step], sideFiles: [] }, revision)).rejects.toMatchObject({
      code: 'store.locked',
    });
    expectSettled();

    await trust.store().openForChange('the living one');
    const stir = async () =>
      trust.server.store.change<SecretObject>(keeperRef(trust.place), (object) => ({ ...object, type: 'stirred' }));
    await expect(trust.renew({}, { takeOverMs: 20_000, sleep: stir })).rejects.toMatchObject({ code: 'store.locked' });
  });

  test('the claim of a run that is known to be dead is taken over at once', async () => {
    const process = { ...identifyThisProcess(), pid: 2 ** 30 };
    await trust.store({ process }).openForChange('the dead one');
    const sleep = () => Promise.reject(new Error('nothing is to be waited for'));
    expect((await trust.renew({}, { takeOverMs: 20_000, sleep, isDead: isProvablyDead })).outcome).toBe('renewed');
    expectSettled();
  });
});

test('a run that was taken over in the middle leaves both objects to the other', async () => {
  let other: Promise<unknown> | undefined;
  // As long asleep between its two writes as the other needs for all of its own.
  const sleepThrough = async () => {
    other ??= trust.renew({ request: { kind: 'fresh', procedure: 'replace' } });
    await other;
  };
  const late = trust.renew({ request: { kind: 'fresh', procedure: 'replace' } }, { sleepThrough });
  await expect(late).rejects.toMatchObject({ code: 'store.locked', exitCode: 6 });
  expect(await other).toMatchObject({ outcome: expect.stringMatching(/renewed|finished/) });
  expectSettled();
});

test('a deletion of the ConfigMap whose answer never comes is undone', async () => {
  const before = trust.files();
  trust.server.faults.add({
    when: ({ method, path, body }) => method === 'DELETE' && path.includes('/configmaps/') && !body.includes('dryRun'),
    do: 'hang-after-write',
    times: 5,
  });
  await expect(trust.renew()).rejects.toMatchObject({ code: 'cluster.unreachable' });
  expect(trust.files()).toEqual(before);
  expectSettled();
}, 60_000);

describe('backups', () => {
  test('are numbered, pruned, encrypted, and come back', async () => {
    const before = trust.files();
    const passphrase = 'correct horse';
    for (let run = 0; run < 4; run++) await trust.renew({ keepBackups: 3, backupPassphrase: passphrase });
    const backups = await trust.store().listBackups();
    expect(backups.map(({ id }) => id)).toEqual(['0004', '0003', '0002']);
    expect(backups.every(({ encrypted }) => encrypted)).toBe(true);
    expect(JSON.stringify(keeper()?.data)).not.toContain(before.issuerKey?.toString('base64'));
    await expect(trust.store().openBackup('0002', 'wrong')).rejects.toMatchObject({ code: 'key.passphrase' });
    await expect(trust.store().openBackup('0001', passphrase)).rejects.toMatchObject({ code: 'file.missing' });
    const chosen = await trust.store().openBackup('0002', passphrase);
    const report = await restoreBackup(trust.store(), { ...chosen, now: new Date(), passphrase, keep: 5 });
    expect(report.action).toBe('restored');
    expectSettled();
    expect(trust.files().issuerChain).toEqual(chosen.files.issuerChain);
  });

  test('are brought back by the same words twice: the second time nothing is to be done', async () => {
    const before = trust.files();
    await trust.renew({ request: { kind: 'fresh', procedure: 'replace' } });
    const renewed = trust.files();
    const restore = async (id?: string) => {
      const chosen = await trust.store().openBackup(id, undefined);
      return restoreBackup(trust.store(), { ...chosen, now: new Date(), passphrase: undefined, keep: 5 });
    };
    expect(await restore()).toMatchObject({ action: 'restored', backup: { id: '0001' }, saved: { id: '0002' } });
    expect(trust.files()).toEqual(before);
    const versions = () => JSON.stringify([trust.secret(), trust.configMap()]);
    const restored = versions();
    expect(await restore()).toMatchObject({ action: 'unchanged', backup: { id: '0001' }, saved: null });
    expect(versions()).toBe(restored);
    expect((await trust.store().listBackups()).map(({ id }) => id)).toEqual(['0002', '0001']);
    expect(await restore('0002')).toMatchObject({ action: 'restored' });
    expect(trust.files()).toEqual(renewed);
  });

  test('stay below what a Secret may hold', async () => {
    inSecret('jwks.json', 'x'.repeat(300 * 1024));
    for (let run = 0; run < 4; run++) await createBackup(trust.store(), undefined);
    const total = Object.values(keeper()?.data ?? {}).reduce(
      (sum, value) => sum + Buffer.from(value, 'base64').length,
      0,
    );
    expect(total).toBeLessThan(1024 * 1024);
    expect((await trust.store().listBackups())[0]?.id).toBe('0004');
  });
});

describe('sides that differ', () => {
  const unite = (from: UnionSource) =>
    uniteSides(trust.store(), {
      from,
      saved: undefined,
      isDryRun: false,
      passphrase: undefined,
      now: new Date(),
      onPlanned: async () => undefined,
    });

  test('are made one after the Secret', async () => {
    const secret = trust.files();
    trust.server.store.change<ConfigMapObject>(configMapRef(trust.place), (map) => ({
      ...map,
      data: { 'ca.crt': 'other', 'jwks.json': '{}' },
    }));
    expect((await unite('secret')).outcome).toBe('united');
    expectSettled();
    expect(trust.files()).toEqual(secret);
    expect(trust.configMap()?.data?.['jwks.json']).toBe('{}');
  });

  test('are made one after the ConfigMap', async () => {
    const { anchors } = trust.files();
    inSecret('ca.crt', (await makeBundle()).files.anchors.toString('utf8'));
    await expect(unite('secret')).rejects.toMatchObject({ code: 'trust.refused' });
    expect((await unite('configmap')).outcome).toBe('united');
    expectSettled();
    expect(trust.files().anchors).toEqual(anchors);
  });

  test('are left alone where the right to write one is missing, or somebody else was there meanwhile', async () => {
    const other = (await makeBundle({ at: new Date() })).files.anchors.toString('utf8');
    trust.server.store.change<ConfigMapObject>(configMapRef(trust.place), (map) => ({
      ...map,
      data: { ...map.data, 'ca.crt': other },
    }));
    const before = bytes();
    trust.server.allow('admin', { allow: 'all', deny: [{ verb: 'patch', resource: 'secrets', name: bundleName }] });
    await expect(unite('secret')).rejects.toMatchObject({ code: 'cluster.forbidden' });
    expect(bytes()).toBe(before);
    trust.server.allow('admin', { allow: 'all' });
    const meanwhile = uniteSides(trust.store(), {
      from: 'secret',
      saved: undefined,
      isDryRun: false,
      passphrase: undefined,
      now: new Date(),
      onPlanned: async () => inSecret('issuer.crt', 'somebody was here'),
    });
    await expect(meanwhile).rejects.toMatchObject({ code: 'store.conflict', exitCode: 6 });
    expect(trust.configMap()?.data?.['ca.crt']).toBe(other);
  });

  test('a ConfigMap that was deleted comes back with the marks by which Helm knows it', async () => {
    const { labels, annotations } = trust.configMap()?.metadata ?? {};
    trust.server.store.remove(configMapRef(trust.place));
    await unite('secret');
    expectSettled();
    expect(trust.configMap()?.metadata.labels).toEqual(labels);
    expect(trust.configMap()?.metadata.annotations).toEqual(annotations);
  });

  test('and --from backup again brings the same copy back', async () => {
    const before = trust.files();
    await createBackup(trust.store(), undefined);
    inSecret('issuer.crt', 'an edit that was a mistake');
    for (let run = 0; run < 2; run++) {
      const { backup, files: saved } = await trust.store().openBackup(undefined, undefined);
      expect(backup.id).toBe('0001');
      const onPlanned = async () => undefined;
      const input = {
        from: 'backup',
        saved,
        isDryRun: false,
        passphrase: undefined,
        now: new Date(),
        onPlanned,
      } as const;
      await uniteSides(trust.store(), input);
      expectSettled();
      expect(trust.files()).toEqual(before);
    }
  });

  test('a Secret that was deleted comes back from a copy', async () => {
    const before = trust.files();
    await createBackup(trust.store(), undefined);
    trust.server.store.remove({ resource: resources.secrets, namespace: trust.place.namespace, name: bundleName });
    const { files } = await trust.store().openBackup(undefined, undefined);
    await uniteSides(trust.store(), {
      from: 'backup',
      saved: files,
      isDryRun: false,
      passphrase: undefined,
      now: new Date(),
      onPlanned: async () => undefined,
    });
    expectSettled();
    expect(trust.files()).toEqual(before);
  });
});
