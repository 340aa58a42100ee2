import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { watchDirectory } from '../../src/cli/watch/directory-source.ts';
import { locate } from '../../src/store/directory/place.ts';
import { copyBundle, makeFolder } from '../support/workplace.ts';

const folder = makeFolder('watch-directory');

test('a bundle that has not changed is judged anew when its dates or its surroundings ask for it', async () => {
  const certs = copyBundle(folder, 'sentry-1.18');
  const key = join(certs, 'issuer.key');
  chmodSync(key, 0o600);
  const source = watchDirectory(() => locate(certs));
  const codesAt = async (instant: string) => {
    const { findings } = await source.look(new Date(instant));
    return findings.filter(({ severity }) => severity !== 'info').map(({ code }) => code);
  };
  expect(await codesAt('2026-11-22T02:25:59Z')).toContain('root.not-yet-valid');
  expect(await codesAt('2026-11-22T02:26:01Z')).toEqual([]);
  chmodSync(key, 0o644);
  expect(await codesAt('2026-11-22T02:26:02Z')).toEqual(['store.key-readable']);
  chmodSync(key, 0o600);
  expect(await codesAt('2026-11-22T02:26:03Z')).toEqual([]);
  expect(await codesAt('2027-11-22T02:41:02Z')).toEqual(['root.expired', 'issuer.expired']);
});
