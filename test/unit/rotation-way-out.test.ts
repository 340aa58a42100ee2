import { expect, test } from 'vitest';
import { buildRecord } from '../../src/app/rotate/start.ts';
import { wayOutOf } from '../../src/app/rotate/way-out.ts';
import { encodePem, readPem } from '../../src/pki/pem.ts';
import { makeBundle } from '../support/bundles.ts';
import { fixtureInstant } from '../support/fixtures.ts';
import { planFor } from '../support/rotation-plans.ts';

test('where a phase cannot be proved any more, the way back is named before the way out, unless it is that one', () => {
  expect(wayOutOf({ name: 'distribute' }, ' -k')).toMatch(
    /`dapr-mtls rotate undo -k`.*`dapr-mtls rotate undo -k --abandon`/,
  );
  const out = wayOutOf({ name: 'undo-switch' }, ' --dir certs');
  expect(out).toContain('`dapr-mtls rotate undo --dir certs --abandon`');
  expect(out).not.toContain('`dapr-mtls rotate undo --dir certs`');
});

test('an old key that cannot be read cannot be kept under a passphrase, and the mend is said', async () => {
  const { files } = await makeBundle();
  const der = readPem(files.issuerKey).blocks[0]?.der ?? Buffer.alloc(0);
  const issuerKey = Buffer.from(encodePem('ENCRYPTED PRIVATE KEY', der));
  const plan = await planFor({ ...files, issuerKey }, { procedure: 'replace' });
  const input = {
    id: 'one',
    who: 'tester',
    now: fixtureInstant,
    skipped: [],
    rootKey: undefined,
    settings: { workloadCertTtlMs: 1, allowedClockSkewMs: 1, hasExternalClients: false, sentryAddress: undefined },
  };
  expect(() => buildRecord(plan, { ...input, passphrase: 'a long one' })).toThrow(
    expect.objectContaining({ code: 'key.passphrase', hint: expect.stringContaining('Leave --passphrase-file out') }),
  );
  expect(buildRecord(plan, { ...input, passphrase: undefined }).stages.before?.issuerKey).toBe(
    issuerKey.toString('base64'),
  );
});
