import { describe, expect, test } from 'vitest';
import type { Certificate } from '../../src/pki/certificate.ts';
import { keyTypes } from '../../src/pki/keys.ts';
import { dayMs, makeBundle, renew } from '../support/bundles.ts';
import { openLint, skippedWithoutGo } from './go-judge.ts';

const lint = await openLint();

const trustDomains: Record<string, string> = {
  'as usual': 'cluster.local',
  'one letter': 'a',
  'one digit': '0',
  digits: '127.0.0.1',
  'an underscore': 'my_cluster.local',
  'dashes at the ends': '-a-',
  'upper limits of a label': `${'a'.repeat(63)}.${'b'.repeat(63)}`,
  '64 characters': 'c'.repeat(64),
  '65 characters': 'd'.repeat(65),
  '255 characters': `${`${'e'.repeat(49)}.`.repeat(5)}local`,
};

if (!lint) {
  test.skip(skippedWithoutGo);
} else {
  const expectClean = async (certificates: Readonly<Record<string, Certificate | undefined>>) => {
    const names = Object.keys(certificates);
    const answers = await lint(
      Object.values(certificates).map((certificate) => ({ der: certificate?.der ?? Buffer.alloc(0) })),
    );
    expect(answers.map(({ failures }, index) => ({ of: names[index], failures }))).toEqual(
      names.map((name) => ({ of: name, failures: [] })),
    );
  };

  describe('zlint finds no error of RFC 5280', () => {
    test.each(keyTypes)('in root, issuer and bridge with keys of %s', async (keyType) => {
      const { files, bundle, rootKey } = await makeBundle({ keyType });
      const bridged = await renew(files, undefined, { keyType });
      const sameKey = await renew(files, { kind: 'private-key', rootKey, procedure: undefined }, { keyType });
      await expectClean({
        root: bundle.anchors[0],
        issuer: bundle.issuerChain[0],
        bridge: bridged.bundle.issuerChain[1],
        'issuer under the bridge': bridged.bundle.issuerChain[0],
        'renewed root': sameKey.root,
      });
    });

    test.each(Object.entries(trustDomains))('for a trust domain that is %s', async (_, trustDomain) => {
      const { files, bundle } = await makeBundle({ trustDomain });
      const bridged = await renew(files, undefined, { trustDomain });
      await expectClean({
        root: bundle.anchors[0],
        issuer: bundle.issuerChain[0],
        bridge: bridged.bundle.issuerChain[1],
      });
    });

    test('in an issuer with a path length', async () => {
      const { bundle } = await makeBundle({ issuerPathLength: 0 });
      await expectClean({ issuer: bundle.issuerChain[0] });
    });

    test.each([
      ['beyond 2049', 30 * 365 * dayMs],
      ['for an hour', dayMs / 24],
    ])('when they are valid %s', async (_, rootValidMs) => {
      const { bundle } = await makeBundle({ rootValidMs });
      await expectClean({ root: bundle.anchors[0], issuer: bundle.issuerChain[0] });
    });
  });

  test('zlint does find errors where there are some', async () => {
    const { bundle } = await makeBundle();
    const der = bundle.issuerChain[0].der;
    const [answer] = await lint([{ der: der.subarray(1) }]);
    expect(answer?.ok).toBe(false);
  });
}
