import { describe, expect, test } from 'vitest';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { encodeBundle } from '../../src/pki/encode.ts';
import { encodePrivateKey } from '../../src/pki/keys.ts';
import { encodePem } from '../../src/pki/pem.ts';
import { whySentryRefuses } from '../../src/pki/sentry.ts';
import { dayMs, makeBundle, renew } from '../support/bundles.ts';
import { fixtureInstant, foreignBundles, readForeignBundle } from '../support/fixtures.ts';

// Random damage is compared with Go in interop/sentry.test.ts; here are the words of each refusal.
const { files, bundle } = await makeBundle();
const other = await makeBundle();
const ended = await makeBundle({ at: new Date(fixtureInstant.getTime() - 400 * dayMs) });
const bridged = encodeBundle((await renew(files)).bundle);
const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
const join = (...parts: readonly (Buffer | string)[]) => Buffer.concat(parts.map((part) => Buffer.from(part)));

describe('whySentryRefuses', () => {
  test.each(foreignBundles)('takes the bundle of %s', (name) => {
    expect(whySentryRefuses(readForeignBundle(name), fixtureInstant)).toBeUndefined();
  });

  test.each([
    [
      'text, CRLF and an unrelated anchor',
      { anchors: join('# old\r\n', files.anchors.toString().replaceAll('\n', '\r\n'), other.files.anchors) },
    ],
    ['its root behind the issuer', { issuerChain: join(files.issuerChain, files.anchors) }],
    ['a bridge', bridged],
    ['an anchor that has ended beside the root', { anchors: join(files.anchors, ended.files.anchors) }],
    ['a block behind the key', { issuerKey: join(files.issuerKey, parameters) }],
  ])('takes %s', (_, changed: Partial<BundleFiles>) => {
    expect(whySentryRefuses({ ...files, ...changed }, fixtureInstant)).toBeUndefined();
  });

  test.each([
    ['nothing', { anchors: Buffer.alloc(0) }, 'no certificates found'],
    [
      'an anchor that cannot be read',
      { anchors: join(files.anchors, encodePem('CERTIFICATE', Buffer.from('x'))) },
      /^a certificate cannot be read/,
    ],
    [
      'a cross-certificate among the anchors',
      { anchors: join(files.anchors, files.issuerChain) },
      /^certificate in trust anchor is not self-signed/,
    ],
    [
      'a chain out of order',
      { issuerChain: join(files.issuerChain, other.files.issuerChain) },
      'certificate chain is not valid',
    ],
    ['the root as the issuer', { issuerChain: files.anchors }, 'issuer chain is empty after re-encoding'],
    [
      'parameters in front of the key',
      { issuerKey: join(parameters, files.issuerKey) },
      'unsupported block type EC PARAMETERS',
    ],
    ['a key that is no PEM', { issuerKey: Buffer.from('key') }, 'key is not PEM encoded'],
    [
      'an encrypted key',
      { issuerKey: Buffer.from(encodePrivateKey(bundle.issuerKey, 'x')) },
      'unsupported block type ENCRYPTED PRIVATE KEY',
    ],
    [
      'a key that is none',
      { issuerKey: Buffer.from(encodePem('PRIVATE KEY', Buffer.from('x'))) },
      'the issuer key cannot be parsed',
    ],
    ["another issuer's key", { issuerKey: other.files.issuerKey }, 'issuer key does not match issuer certificate'],
    ['other anchors', { anchors: other.files.anchors }, /^issuer chain does not belong to trust anchors/],
  ])('refuses %s', (_, changed: Partial<BundleFiles>, words) => {
    expect(whySentryRefuses({ ...files, ...changed }, fixtureInstant)).toMatch(words);
  });

  test('refuses what has ended', () => {
    expect(whySentryRefuses(files, new Date(fixtureInstant.getTime() + 366 * dayMs))).toMatch(/expired at/);
  });
});
