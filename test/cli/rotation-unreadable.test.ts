import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { quotePosix } from '../../src/app/shell-quote.ts';
import type { SecretObject } from '../../src/store/cluster/objects.ts';
import { recordRef } from '../../src/store/cluster/rotation-record.ts';
import { makeBundle } from '../support/bundles.ts';
import { run } from '../support/command-line.ts';
import { openRotationDesk } from '../support/rotation-desk.ts';
import { schemaViolations } from '../support/schema.ts';
import { makeFolder } from '../support/workplace.ts';

const newer = '{"version":2,"secrets":"of tomorrow"}';

describe('a record that cannot be read, in a directory', () => {
  const folder = makeFolder('rotation-unreadable');
  const work = join(folder, 'certs.mtls');
  const type = async (line: string, expected: number) => {
    const outcome = await run(line.split(' '), { cwd: folder, env: { HOME: folder, DAPR_MTLS_SETTLE: '0' } });
    expect(outcome.status, `${line}\n${outcome.stdout}\n${outcome.stderr}`).toBe(expected);
    return outcome;
  };
  const standing = () =>
    ['ca.crt', 'issuer.crt', 'issuer.key'].map((name) => readFileSync(join(folder, 'certs', name)));

  beforeAll(async () => {
    await type('init --dir certs', 0);
    mkdirSync(work, { recursive: true });
    writeFileSync(join(work, 'rotation.json'), newer);
  });

  test.each([
    'rotate status --dir certs',
    'rotate run --dir certs',
    'rotate undo --dir certs',
    'rotate confirm restarted --dir certs',
    'renew-certificate --dir certs',
  ])('%s names it, and what ends it', async (line) => {
    const { stderr } = await type(line, 5);
    expect(stderr).toContain(`the record of the rotation, ${join(work, 'rotation.json')}, cannot be read`);
    const way = ` --dir ${quotePosix(join(folder, 'certs'))}`;
    expect(stderr).toContain(`\`dapr-mtls rotate undo${way} --abandon\` puts the record aside`);
  });

  test('is put aside, and everything is free again', async () => {
    const before = standing();
    const { stdout, stderr } = await type('rotate undo --dir certs --abandon --format json', 0);
    const document = JSON.parse(stdout);
    expect(schemaViolations(document)).toEqual([]);
    expect(document).toMatchObject({ kind: 'Rotation', state: 'none' });
    expect(stderr).toContain(join(work, 'rotation.unreadable-1.json'));
    expect(readFileSync(join(work, 'rotation.unreadable-1.json'), 'utf8')).toBe(newer);
    expect(readdirSync(work)).not.toContain('rotation.json');
    expect(standing()).toEqual(before);
    await type('rotate undo --dir certs --abandon', 5);
    await type('rotate run --dir certs', 8);
    expect(readFileSync(join(work, 'rotation.unreadable-1.json'), 'utf8')).toBe(newer);
  });
});

test('a record that cannot be read, in a cluster, is put aside in its Secret', async (context) => {
  const { run: type, server, secret, record } = await openRotationDesk(context, await makeBundle({ at: new Date() }));
  const ref = recordRef({ namespace: 'dapr-system' });
  await type('rotate run -k --restart none', 8);
  const data = { 'rotation.json': Buffer.from(newer).toString('base64') };
  server.store.change<SecretObject>(ref, (object) => ({ ...object, data }));
  const before = secret()?.data;
  const { stderr } = await type('rotate run -k', 5);
  expect(stderr).toContain('the record of the rotation, the Secret dapr-system/dapr-mtls-rotation, cannot be read');
  expect((await type('renew-certificate -k', 5)).stderr).toContain('`dapr-mtls rotate undo -k --abandon`');
  const ended = await type('rotate undo -k --abandon', 0);
  expect(ended.stderr).toContain('Secret dapr-system/dapr-mtls-rotation, rotation.unreadable-1.json');
  expect(server.store.get<SecretObject>(ref)?.data).toEqual({ 'rotation.unreadable-1.json': data['rotation.json'] });
  expect(secret()?.data).toEqual(before);
  await type('rotate run -k', 0);
  expect(record()?.state).toBe('done');
});
