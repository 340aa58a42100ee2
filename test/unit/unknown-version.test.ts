import { describe, expect, test } from 'vitest';
import { makeRenewal } from '../../src/app/renew/make.ts';
import type { RenewOptions } from '../../src/app/renew/renewal.ts';
import { currentOf, dayMs, makeBundle, newKey } from '../support/bundles.ts';
import { fixtureInstant } from '../support/fixtures.ts';

const { files, rootKey } = await makeBundle();
let serials = 0;

const renewIn = (kind: 'directory' | 'cluster', wishes: Partial<RenewOptions>) =>
  makeRenewal(currentOf(files, fixtureInstant, kind), {
    request: { kind: 'fresh', procedure: undefined },
    now: fixtureInstant,
    rootValidMs: 365 * dayMs,
    issuerValidMs: 365 * dayMs,
    allowedClockSkewMs: 0,
    trustDomain: 'cluster.local',
    keyType: 'p256',
    issuerPathLength: undefined,
    daprVersion: undefined,
    newSerial: () => `40${(++serials).toString(16).padStart(30, '0')}`,
    newKey,
    ...wishes,
  });
const warning =
  /^Warning: which version of Dapr runs there is not known, and a bridge is proven on 1\.11 to 1\.18 only/;

describe('a Dapr version that could not be read off the cluster', () => {
  test('is a warning under a bridge', async () => {
    const { procedure, remarks } = await renewIn('cluster', {});
    expect(procedure).toBe('bridge');
    expect(remarks).toEqual([expect.stringMatching(warning)]);
  });

  test.each<[string, 'directory' | 'cluster', Partial<RenewOptions>]>([
    ['where it is told', 'cluster', { daprVersion: { major: 1, minor: 17, patch: 13 } }],
    ['where a bridge is insisted on', 'cluster', { request: { kind: 'fresh', procedure: 'bridge' } }],
    ['where no bridge is made', 'cluster', { request: { kind: 'fresh', procedure: 'replace' } }],
    [
      'where the root is renewed on its key',
      'cluster',
      { request: { kind: 'private-key', rootKey, procedure: undefined } },
    ],
    ['of a directory, which tells of no version', 'directory', {}],
  ])('is none %s', async (_, kind, wishes) => {
    expect((await renewIn(kind, wishes)).remarks).toEqual([]);
  });
});
