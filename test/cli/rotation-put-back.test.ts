import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { decodeRecord } from '../../src/app/rotate/record.ts';
import { quotePosix } from '../../src/app/shell-quote.ts';
import { type SecretObject, secretRef } from '../../src/store/cluster/objects.ts';
import { makeBundle } from '../support/bundles.ts';
import { run } from '../support/command-line.ts';
import { openRotationDesk } from '../support/rotation-desk.ts';
import { makeFolder } from '../support/workplace.ts';

const place = { namespace: 'dapr-system' };
const bundle = await makeBundle({ at: new Date() });
const stranger = await makeBundle({ at: new Date() });
const fingerprint = stranger.bundle.anchors[0]?.fingerprint.slice(0, 16);

describe.concurrent('rotate run -k --put-back', () => {
  const openTown = (context: TestContext) => openRotationDesk(context, bundle);
  const statusesOf = ({ record }: Awaited<ReturnType<typeof openTown>>) =>
    record()?.phases.map(({ name, status }) => `${name} ${status}`);

  test.for([
    ['bridge', 'switch'],
    ['bridge', 'distribute'],
    ['staged', 'distribute'],
    ['staged', 'drain'],
  ])('puts the bundle of %s behind %s back, and the rotation comes to its end', async ([procedure, phase], context) => {
    const town = await openTown(context);
    const { run: type, record, secret, configMap, overwrite, sidecars } = town;
    const began = `rotate run -k --wait --procedure ${procedure} --drain restart --until ${phase}`;
    await type(began, 0);
    const recorded = { secret: secret()?.data, configMap: configMap()?.data };
    overwrite(stranger.files);
    expect((await type('rotate run -k', 6)).stderr).toContain('`dapr-mtls rotate run -k --put-back`');
    const { stderr } = await type(`rotate run -k --put-back --until ${phase}`, 0);
    expect(stderr).toMatch(/^WARNING: the bundle in .* is OVERWRITTEN by that of the stage /m);
    expect(stderr).toMatch(/^The recorded bundle is back in its place; what stood there is in Secret .*, backup-\d+/m);
    expect(stderr).not.toContain('PRIVATE KEY');
    expect({ secret: secret()?.data, configMap: configMap()?.data }).toEqual(recorded);
    expect(record()?.history.map(({ what }) => what)).toContainEqual(
      expect.stringMatching(new RegExp(`^puts the bundle of the stage .* back over anchors ${fingerprint}`)),
    );
    await type('rotate run -k --wait', 0);
    expect(record()?.state).toBe('done');
    for (const anchors of sidecars()) expect(anchors).toContain(configMap()?.data?.['ca.crt']?.trim());
  });

  test('keeps what it overwrites, as a copy', async (context) => {
    const { run: type, overwrite, secret } = await openTown(context);
    await type('rotate run -k --until switch', 0);
    overwrite(stranger.files);
    await type('rotate run -k --put-back --until switch', 0);
    await type('rotate undo -k --abandon', 0);
    await type('backup restore -k', 0);
    expect(secret()?.data?.['issuer.key']).toBe(stranger.files.issuerKey.toString('base64'));
  });

  test('proves anew what had passed before, and what people had confirmed', async (context) => {
    const town = await openTown(context);
    await town.run('rotate run -k --until switch', 0);
    const first = town.record()?.phases[0]?.passedAt;
    town.overwrite(stranger.files);
    // Nobody restarts a Sentry, so that no gate closes.
    await town.run('rotate run -k --put-back --restart none', 8);
    expect(statusesOf(town)?.slice(0, 2)).toEqual(['switch written', 'distribute due']);
    await town.run('rotate run -k', 0);
    expect(Date.parse(town.record()?.phases[0]?.passedAt ?? '')).toBeGreaterThan(Date.parse(first ?? ''));
  });

  test('is gone on with where it was killed, by the same words', async (context) => {
    const { run: type, start, overwrite, record, configMap, secret } = await openTown(context);
    await type('rotate run -k --until distribute', 0);
    overwrite(stranger.files);
    const killed = start('rotate run -k --put-back');
    await killed.noted(/^Writing Secret and ConfigMap/m);
    killed.child.kill('SIGKILL');
    await killed.ended;
    const { stderr } = await type('rotate run -k --put-back --wait', 0);
    expect(record()?.state, stderr).toBe('done');
    expect(configMap()?.data?.['ca.crt']).toBe(Buffer.from(secret()?.data?.['ca.crt'] ?? '', 'base64').toString());
  });

  test('writes nothing where the recorded bundle stands, and where none is under way', async (context) => {
    const { run: type, secret, record } = await openTown(context);
    expect((await type('rotate run -k --put-back', 5)).stderr).toContain('there is no rotation whose bundle');
    await type('rotate run -k --until distribute', 0);
    const before = secret();
    const { stderr } = await type('rotate run -k --put-back --until distribute', 0);
    expect(stderr).toContain('The recorded bundle stands there: nothing has to be put back');
    expect(secret()).toEqual(before);
    await type('rotate run -k', 0);
    expect((await type('rotate run -k --put-back', 5)).stderr).toContain(
      'no rotation is under way (the last one is done)',
    );
    expect(record()?.state).toBe('done');
  });

  test('unites the two sides, where only one was overwritten', async (context) => {
    const { run: type, overwriteConfigMap, configMap, record } = await openTown(context);
    await type('rotate run -k --until distribute', 0);
    const before = configMap()?.data;
    overwriteConfigMap(stranger.files.anchors);
    await type('rotate run -k --put-back --until distribute', 0);
    expect(configMap()?.data).toEqual(before);
    await type('rotate run -k', 0);
    expect(record()?.state).toBe('done');
  });

  test('names whom that cuts off', async (context) => {
    const { run: type, overwrite } = await openTown(context);
    await type('rotate run -k --until switch', 0);
    overwrite(stranger.files);
    // Whoever is restarted meanwhile is born with the other anchors.
    await type('restart -k', 0);
    await type('restart -k --apps -n shop', 0);
    const { stderr } = await type('rotate run -k --put-back --restart none', 8);
    expect(stderr).toMatch(/^Cut off by that until they are restarted: shop\/checkout$/m);
  });

  test('is not written over what an owner would put back, nor by a file', async (context) => {
    const { run: type, overwrite, secret, server } = await openTown(context);
    await type('rotate run -k --until distribute', 0);
    overwrite(stranger.files);
    const tracking = { 'argocd.argoproj.io/tracking-id': 'dapr:/Secret:dapr-system/dapr-trust-bundle' };
    const managedFields = [
      { manager: 'argocd-controller', operation: 'Apply', fieldsV1: { 'f:data': { 'f:ca.crt': {} } } },
    ];
    server.store.change<SecretObject>(secretRef(place), ({ metadata, ...rest }) => ({
      ...rest,
      metadata: { ...metadata, managedFields, annotations: { ...metadata.annotations, ...tracking } },
    }));
    const before = secret();
    const { stderr } = await type('rotate run -k --put-back', 6);
    expect(stderr).toContain('rotate run -k --put-back --ignore-owner argocd');
    await type('rotate run -k --put-back --output-manifest bundle.yaml --with-issuer-key', 2);
    expect(secret()).toEqual(before);
    await type('rotate run -k --put-back --ignore-owner argocd --until distribute', 0);
  });

  test('also leads to the way back', async (context) => {
    const { run: type, overwrite, secret, record } = await openTown(context);
    const before = secret()?.data;
    await type('rotate run -k --until distribute', 0);
    overwrite(stranger.files);
    await type('rotate undo -k --wait --abandon --put-back', 2);
    await type('rotate undo -k --wait --drain restart --put-back', 0);
    expect(record()?.state).toBe('undone');
    expect(secret()?.data).toEqual(before);
  });
});

describe('rotate run --dir --put-back', () => {
  const folder = makeFolder('rotation-put-back');
  const path = (name: string) => join(folder, name);
  const type = async (line: string, expected: number) => {
    const outcome = await run(line.split(' '), { cwd: folder, env: { HOME: folder, DAPR_MTLS_SETTLE: '0' } });
    expect(outcome.status, `${line}\n${outcome.stdout}\n${outcome.stderr}`).toBe(expected);
    return outcome;
  };
  const standing = () => ['ca.crt', 'issuer.crt', 'issuer.key'].map((name) => readFileSync(path(`certs/${name}`)));
  const record = () => decodeRecord(readFileSync(path('certs.mtls/rotation.json')));
  const overwrite = () => {
    writeFileSync(path('certs/ca.crt'), stranger.files.anchors);
    writeFileSync(path('certs/issuer.crt'), stranger.files.issuerChain);
    writeFileSync(path('certs/issuer.key'), stranger.files.issuerKey);
  };

  beforeAll(async () => {
    writeFileSync(path('passphrase'), 'a long one\n');
    await type('init --dir certs', 0);
    await type('rotate run --dir certs --passphrase-file passphrase', 8);
    await type('rotate confirm restarted --dir certs', 0);
  });

  test('asks for what was confirmed of the other bundle once more', async () => {
    const recorded = standing();
    overwrite();
    const { stderr } = await type('rotate run --dir certs --passphrase-file passphrase', 6);
    expect(stderr).toContain(`\`dapr-mtls rotate run --dir ${quotePosix(path('certs'))} --put-back\``);
    const { stdout } = await type('rotate run --dir certs --put-back --passphrase-file passphrase', 8);
    expect(standing()).toEqual(recorded);
    expect(stdout).toContain('was every one started anew, with the anchors of today?');
    expect(record().confirmations).toEqual([]);
    expect(record().phases[0]).toMatchObject({ name: 'distribute', status: 'written' });
  });

  test('is refused, with the way out, where the keys of the record cannot be opened', async () => {
    overwrite();
    const before = standing();
    const { stderr } = await type('rotate run --dir certs --put-back', 4);
    expect(stderr).toContain('the issuer key in the record of the rotation is encrypted');
    expect(stderr).toMatch(/`dapr-mtls rotate undo --dir \S+ --abandon` ends it/);
    writeFileSync(path('wrong'), 'another one\n');
    expect((await type('rotate run --dir certs --put-back --passphrase-file wrong', 4)).stderr).toContain('--abandon');
    expect(standing()).toEqual(before);
    await type('rotate run --dir certs --put-back --passphrase-file passphrase', 8);
  });
});
