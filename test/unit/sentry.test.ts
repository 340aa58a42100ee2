import { describe, expect, test } from 'vitest';
import { whySentryRefuses } from '../../src/pki/sentry.ts';
import { fixtureInstant, foreignBundles, readForeignBundle } from '../support/fixtures.ts';

describe('whySentryRefuses', () => {
  test.each(foreignBundles)('takes the bundle of %s', (name) => {
    expect(whySentryRefuses(readForeignBundle(name), fixtureInstant)).toBeUndefined();
  });

  test('refuses a key that is not first in its file', () => {
    const files = { ...readForeignBundle('openssl-docs') };
    const parameters = Buffer.from('-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n');
    const issuerKey = Buffer.concat([parameters, files.issuerKey]);
    expect(whySentryRefuses({ ...files, issuerKey }, fixtureInstant)).toBe('unsupported block type EC PARAMETERS');
  });
});
