import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { configMapRef, type SecretObject, secretRef } from '../../src/store/cluster/objects.ts';
import { makeBundle } from '../support/bundles.ts';
import { openRotationDesk } from '../support/rotation-desk.ts';

const place = { namespace: 'dapr-system' };
const bundle = await makeBundle({ at: new Date() });
const stranger = await makeBundle({ at: new Date() });

const openTown = (context: TestContext) => openRotationDesk(context, bundle);

const fingerprint = (made: typeof stranger) => made.bundle.anchors[0]?.fingerprint.slice(0, 16);
const says = (text: string | RegExp) => expect.stringMatching(text);

describe.concurrent('two people', () => {
  test('who begin at once begin one rotation, and one of them is told who has it', async (context) => {
    const { start, record, hold, letGo } = await openTown(context);
    hold();
    const runs = [start('rotate run -k'), start('rotate run -k')];
    const first = await Promise.race(runs.map(({ ended }) => ended));
    expect(first.stderr).toMatch(
      /^Error: the rotation in dapr-system is in the hands of "rotate run" \(\S+@.+, process \d+, since \S+\)$/m,
    );
    expect(first.stderr).toContain('with `--wait` this command waits for it');
    letGo();
    const outcomes = await Promise.all(runs.map(({ ended }) => ended));
    expect(outcomes.map(({ exitCode }) => exitCode).sort()).toEqual([0, 6]);
    // On a machine that stands still for longer than a lease the other one goes on with it, and is let.
    expect(record()?.history.filter(({ what }) => what.startsWith('planned'))).toHaveLength(1);
    expect(record()?.state).toBe('done');
  });

  test('who both wait end with one rotation, too', async (context) => {
    const { start, configMap, record, hold, letGo, sidecars } = await openTown(context);
    hold();
    const runs = [start('rotate run -k --wait'), start('rotate run -k --wait')];
    await Promise.any(runs.map(({ noted }) => noted(/^Waiting for "rotate run" \(.*\), which is at work/m)));
    letGo();
    const outcomes = await Promise.all(runs.map(({ ended }) => ended));
    expect(outcomes.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    const told = outcomes.map(({ stderr }) =>
      /^(Nothing is left to do of|Going on with) the rotation \(bridge\) that/m.test(stderr),
    );
    expect(told.sort()).toEqual([false, true]);
    expect(record()?.history.filter(({ what }) => what.startsWith('planned'))).toHaveLength(1);
    for (const anchors of sidecars()) expect(anchors).toContain(configMap()?.data?.['ca.crt']?.trim());
  });

  test('one goes on in the place of the other, who was killed', async (context) => {
    const { start, record, hold, letGo } = await openTown(context);
    hold();
    const killed = start('rotate run -k --wait');
    await killed.noted(/Restarting deploy\/dapr-sentry/);
    killed.child.kill('SIGKILL');
    await killed.ended;
    const waiting = start('rotate run -k --wait');
    await waiting.noted(/^"rotate run" \(.*\) is at work there or has died; waiting \d+ s to see whether it moves/m);
    letGo();
    const { exitCode, stderr } = await waiting.ended;
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toMatch(/^"rotate run" \(.*\) has died; this run goes on in its place$/m);
    expect(stderr).toMatch(/^Going on with the rotation \(bridge\) that /m);
    expect(new Set(record()?.history.map(({ by }) => by)).size).toBe(2);
    expect(record()?.state).toBe('done');
  });

  test('another procedure is not smuggled in', async (context) => {
    const { run } = await openTown(context);
    await run('rotate run -k --restart none', 8);
    expect((await run('rotate run -k --procedure staged', 6)).stderr).toMatch(
      /^Error: a rotation of another procedure \(bridge\) is under way, begun /m,
    );
  });

  test('a name that no workload bears is warned about, when it begins and when it goes on', async (context) => {
    const { run } = await openTown(context);
    const warning = 'no workload of this name has a sidecar now, so nobody is left out. Is shop/checkout meant?';
    for (let turn = 1; turn <= 2; turn++) {
      const { stderr } = await run('rotate run -k --restart none --skip-workload shop/chekout', 8);
      expect(stderr).toContain(`--skip-workload shop/chekout: ${warning}`);
    }
    const { stderr } = await run('rotate run -k --restart none --skip-workload shop/checkout', 8);
    expect(stderr).not.toContain(warning);
  });

  test('old certificates need not be waited for, when somebody says so on the way', async (context) => {
    const { run, record } = await openTown(context);
    const waiting = await run('rotate run -k --procedure staged', 8);
    expect(waiting.stdout).toContain('`dapr-mtls rotate run -k --drain restart`');
    await run('rotate run -k --drain restart', 0);
    expect(record()).toMatchObject({ state: 'done', settings: { drain: 'restart' } });
  });
});

describe.concurrent('a bundle that somebody else has written meanwhile', () => {
  const begin = async (context: TestContext) => {
    const town = await openTown(context);
    await town.run('rotate run -k --until distribute', 0);
    return town;
  };

  test('stops the rotation, and what stands there is named', async (context) => {
    const { run, secret, overwrite } = await begin(context);
    overwrite(stranger.files);
    const before = secret();
    for (const line of ['rotate run -k', 'rotate run -k --wait', 'rotate undo -k --wait']) {
      const { stderr } = await run(line, 6);
      expect(stderr).toMatch(/^Error: the bundle is not the one that the rotation has recorded \(switched\): /m);
      expect(stderr).toContain(fingerprint(stranger));
      expect(stderr).toContain('dapr-mtls rotate undo -k --abandon');
      expect(secret()).toEqual(before);
    }
  });

  test('is put away by the copy of the recorded one, and the rotation goes on', async (context) => {
    const { run, record, overwrite } = await begin(context);
    await run('backup create -k', 0);
    overwrite(stranger.files);
    await run('rotate run -k', 6);
    await run('backup restore 0001 -k', 6);
    await run('backup restore 0002 -k', 0);
    await run('rotate run -k', 0);
    expect(record()?.state).toBe('done');
  });

  test('stays where the rotation is given up for it', async (context) => {
    const { run, secret, record, overwrite } = await begin(context);
    overwrite(stranger.files);
    const before = secret();
    const { stdout } = await run('rotate undo -k --abandon', 0);
    expect(stdout).toContain('was given up: the bundle that stands there was kept');
    expect(secret()?.data).toEqual(before?.data);
    expect(record()?.state).toBe('abandoned');
    expect(JSON.stringify(record())).not.toContain('issuerKey');
    expect((await run('rotate undo -k --abandon', 5)).stderr).toContain('the rotation has been given up');
    await run('renew-certificate -k --procedure replace --yes', 0);
  });

  test('is seen on either side of it', async (context) => {
    const { run, record, overwriteConfigMap } = await begin(context);
    overwriteConfigMap(stranger.files.anchors);
    const { stderr } = await run('rotate run -k', 6);
    expect(stderr).toContain('the ConfigMap dapr-system/dapr-trust-bundle holds another ca.crt');
    await run('repair -k --from configmap --yes', 4);
    await run('repair -k --from secret --yes', 0);
    await run('rotate run -k', 0);
    expect(record()?.state).toBe('done');
  });

  test('and differs from the other side lets nobody begin, undo or give up, but be mended', async (context) => {
    const { run, record, secret, overwrite, overwriteConfigMap } = await openTown(context);
    overwriteConfigMap(stranger.files.anchors);
    const expectRefused = async (lines: readonly string[]) => {
      for (const line of lines) {
        const { stderr } = await run(line, 6);
        expect(stderr, line).toContain('the ConfigMap dapr-system/dapr-trust-bundle holds another ca.crt');
        expect(stderr, line).toContain('`dapr-mtls repair -k --from secret`');
      }
    };
    await expectRefused(['rotate plan -k', 'rotate run -k']);
    expect(record()).toBeUndefined();
    await run('repair -k --from secret --yes', 0);
    await run('rotate run -k --until distribute', 0);
    overwriteConfigMap(stranger.files.anchors);
    await expectRefused(['rotate undo -k', 'rotate undo -k --abandon']);
    // Neither side is the recorded one, and the rotation must not stand in the way of the mend.
    overwrite(stranger.files);
    overwriteConfigMap(bundle.files.anchors);
    await expectRefused(['rotate undo -k --abandon']);
    const { stderr } = await run('repair -k --from secret --yes', 0);
    expect(stderr).toMatch(/^WARNING: a rotation is under way, .*`dapr-mtls rotate run -k --put-back`/m);
    expect(secret()?.data?.['ca.crt']).toBe(stranger.files.anchors.toString('base64'));
    await run('rotate run -k', 6);
    await run('rotate undo -k --abandon', 0);
  });

  test('is put back where a Sentry wrote it in the seconds after the write', async (context) => {
    const { start, secret, record, overwrite } = await openTown(context);
    const rotation = start('rotate run -k', '3');
    await rotation.noted(/^Watching both objects/m);
    overwrite(stranger.files);
    const { exitCode, stderr } = await rotation.ended;
    expect(exitCode, stderr).toBe(0);
    expect(record()).toMatchObject({ state: 'done' });
    expect(record()?.history.map(({ what }) => what)).toContainEqual(says(/^put the bundle back that somebody else/));
    expect(secret()?.data?.['ca.crt']).not.toBe(stranger.files.anchors.toString('base64'));
  });
});

describe.concurrent('objects that somebody else keeps', () => {
  const tracking = { 'argocd.argoproj.io/tracking-id': 'dapr:/Secret:dapr-system/dapr-trust-bundle' };
  const handOut = '--output-manifest bundle.yaml --with-issuer-key';
  /** As Argo CD leaves them where it applies on the server's side. */
  const managedFields = [
    {
      manager: 'argocd-controller',
      operation: 'Apply',
      fieldsV1: { 'f:data': { 'f:ca.crt': {}, 'f:issuer.crt': {}, 'f:issuer.key': {} } },
    },
  ];
  const openOwned = async (context: TestContext) => {
    const town = await openRotationDesk(context, bundle, ({ server }) =>
      server.store.change<SecretObject>(secretRef(place), (object) => ({
        ...object,
        metadata: { ...object.metadata, managedFields, annotations: { ...object.metadata.annotations, ...tracking } },
      })),
    );
    const handedOut = () => readFileSync(join(town.folder, 'bundle.yaml'), 'utf8');
    return {
      ...town,
      handedOut,
      /** As Argo CD does: an object at a time. */
      apply: (kind: 'Secret' | 'ConfigMap'): void => {
        const documents = parseAllDocuments(handedOut()).map((document) => document.toJS() as SecretObject);
        const { data } = documents.find((document) => document.kind === kind) ?? {};
        const ref = kind === 'Secret' ? secretRef(place) : configMapRef(place);
        town.server.store.change<SecretObject>(ref, (object) => ({ ...object, ...(data ? { data } : {}) }));
      },
    };
  };

  test('stop it before it begins, and the ways out are named', async (context) => {
    const { run, secret, record } = await openOwned(context);
    const before = secret();
    const { stderr } = await run('rotate run -k', 6);
    expect(stderr).toContain('Argo CD');
    expect(stderr).toContain('rotate run -k --output-manifest trust-bundle.yaml --with-issuer-key');
    expect(stderr).toContain('rotate run -k --ignore-owner argocd');
    expect(stderr).not.toContain('--via-helm');
    expect((await run('rotate run -k --output-manifest bundle.yaml', 2)).stderr).toContain('--with-issuer-key');
    expect(record()).toBeUndefined();
    expect(secret()).toEqual(before);
  });

  test('are given each bundle to apply, and waited for', async (context) => {
    const { run, secret, configMap, record, folder, handedOut, apply } = await openOwned(context);
    const { stdout } = await run(`rotate run -k ${handOut}`, 8);
    expect(stdout).toContain(`the bundle of switch in ${join(folder, 'bundle.yaml')} is not applied yet`);
    expect(stdout).toMatch(/Commit it and let Argo CD .*apply it/);
    const first = handedOut();
    expect(first).toMatch(/^# dapr-mtls rotation .*, phase switch\n/);

    apply('Secret');
    // Half of it is nothing yet, and no divergence either.
    await run(`rotate run -k ${handOut}`, 8);
    expect(handedOut()).toBe(first);
    apply('ConfigMap');
    const waiting = await run(`rotate run -k ${handOut}`, 8);
    expect(waiting.stdout).toContain('the bundle of retire in ');
    expect(handedOut()).toMatch(/^# dapr-mtls rotation .*, phase retire\n/);
    apply('ConfigMap');
    apply('Secret');
    await run(`rotate run -k ${handOut}`, 0);
    expect(record()?.state).toBe('done');
    expect(configMap()?.data?.['ca.crt']).toBe(Buffer.from(secret()?.data?.['ca.crt'] ?? '', 'base64').toString());
  });

  test('are given the values of their chart, where they apply such', async (context) => {
    const { run, folder, overwrite, record } = await openOwned(context);
    const values = '--output-helm-values values.yaml --with-issuer-key';
    for (const [phase, expected] of [
      ['switch', 8],
      ['retire', 0],
    ] as const) {
      await run(`rotate run -k ${values}`, 8);
      const text = readFileSync(join(folder, 'values.yaml'), 'utf8');
      expect(text).toContain(`, phase ${phase}\n`);
      const { root, issuer } = parse(text).dapr_sentry.tls;
      overwrite({
        anchors: Buffer.from(root.certPEM),
        issuerChain: Buffer.from(issuer.certPEM),
        issuerKey: Buffer.from(issuer.keyPEM),
      });
      await run(`rotate run -k ${values}`, expected);
    }
    expect(record()?.state).toBe('done');
  });

  test('and put their own back, which is seen', async (context) => {
    const { run, overwrite } = await openOwned(context);
    await run('rotate run -k --ignore-owner argocd --until switch', 0);
    overwrite(bundle.files);
    const { stderr } = await run('rotate run -k --ignore-owner argocd', 6);
    expect(stderr).toContain(
      'the bundle is not the one that the rotation has recorded (switched): it is that of the stage before',
    );
  });

  test('are given the way back, too', async (context) => {
    const { run, secret, record, handedOut, apply } = await openOwned(context);
    await run(`rotate run -k ${handOut}`, 8);
    apply('Secret');
    apply('ConfigMap');
    await run(`rotate run -k ${handOut} --until switch`, 0);
    await run('rotate undo -k --output-manifest bundle.yaml --drain restart', 2);
    await run(`rotate undo -k ${handOut} --drain restart`, 8);
    for (const phase of ['undo-switch', 'undo-distribute']) {
      expect(handedOut()).toContain(`, phase ${phase}\n`);
      apply('Secret');
      apply('ConfigMap');
      await run(`rotate run -k ${handOut}`, phase === 'undo-switch' ? 8 : 0);
    }
    expect(record()?.state).toBe('undone');
    expect(secret()?.data?.['issuer.crt']).toBe(bundle.files.issuerChain.toString('base64'));
  });

  test('are told to withdraw what was handed out, where the rotation is undone before', async (context) => {
    const { run, record, folder } = await openOwned(context);
    await run(`rotate run -k ${handOut}`, 8);
    const { stderr } = await run('rotate undo -k', 0);
    const withdrawal = `The bundle of switch that was handed out in ${join(folder, 'bundle.yaml')} must not be applied any more`;
    expect(stderr).toContain(withdrawal);
    expect(record()?.history.at(-1)?.what).toContain(withdrawal);
    await run(`rotate run -k --output-manifest other.yaml --with-issuer-key`, 8);
    expect((await run('rotate undo -k --abandon', 0)).stderr).toContain(join(folder, 'other.yaml'));
  });

  test('a file that is not of this rotation is left alone', async (context) => {
    const { run, record, folder } = await openOwned(context);
    writeFileSync(join(folder, 'bundle.yaml'), 'somebody: else\n');
    const { stderr } = await run(`rotate run -k ${handOut}`, 5);
    expect(stderr).toContain('exists already; nothing was begun');
    expect(record()).toBeUndefined();
  });
});
