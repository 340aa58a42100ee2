import { describe, expect, test } from 'vitest';
import type { RotationWish } from '../../src/app/rotate/plan.ts';
import type { Procedure } from '../../src/app/rotate/record.ts';
import type { DaprMtlsError } from '../../src/errors.ts';
import type { BundleFiles, TrustBundle } from '../../src/pki/bundle.ts';
import { readCertificate } from '../../src/pki/certificate.ts';
import { encodeBundle } from '../../src/pki/encode.ts';
import { readPrivateKey } from '../../src/pki/keys.ts';
import { dayMs, makeBundle, renew } from '../support/bundles.ts';
import { type ForeignBundle, fixtureInstant, readFixture, readForeignBundle } from '../support/fixtures.ts';
import { dapr, planFor, sidecar } from '../support/rotation-plans.ts';
import { type ForgedAuthority, filesOf, forgeAuthority } from '../support/rotation-worlds.ts';

const now = fixtureInstant.getTime();
const times = { notBefore: now - dayMs, notAfter: now + 700 * dayMs };
const past = { notBefore: now - 2 * dayMs, notAfter: now - dayMs };
const rootKeys = { step: 'step/ca.key', 'openssl-docs': 'openssl-docs/root.key' } as const;

function withKey(maker: keyof typeof rootKeys): Pick<RotationWish, 'request'> {
  const rootKey = readPrivateKey(readFixture(`pki/${rootKeys[maker]}`), 'root key');
  return { request: { kind: 'private-key', rootKey } };
}

function givenKey({ key }: ForgedAuthority): Pick<RotationWish, 'request'> {
  return { request: { kind: 'private-key', rootKey: key } };
}

function ownFiles(
  anchors: readonly ForgedAuthority[],
  chain: readonly ForgedAuthority[],
): Pick<RotationWish, 'request'> {
  const [issuer, ...rest] = chain.map(({ der }) => readCertificate(der));
  const [{ key }] = chain as [ForgedAuthority];
  if (!issuer) throw new Error('a chain has an issuer');
  const bundle: TrustBundle = {
    anchors: anchors.map(({ der }) => readCertificate(der)),
    issuerChain: [issuer, ...rest],
    issuerKey: key,
  };
  return { request: { kind: 'own', bundle } };
}

function oldTown(change: { root?: object; issuer?: object } = {}) {
  const root = forgeAuthority({ name: 'cluster.local', ...times, ...change.root });
  const issuer = forgeAuthority({ name: 'issuer', signer: root, ...times, ...change.issuer });
  return { root, issuer, files: filesOf([root], [issuer]) };
}

describe('a bundle gets the gentlest procedure that holds', () => {
  const cases: readonly [ForeignBundle, string | undefined, 'its root key' | 'no root key', Procedure][] = [
    ['sentry-1.11', '1.11', 'no root key', 'bridge'],
    ['sentry-1.17', '1.17', 'no root key', 'bridge'],
    ['sentry-1.18', '1.18', 'no root key', 'bridge'],
    ['sentry-1.17', '1.10', 'no root key', 'staged'],
    ['sentry-1.18', '1.19', 'no root key', 'staged'],
    ['sentry-1.18', undefined, 'no root key', 'staged'],
    ['step', '1.17', 'no root key', 'staged'],
    ['step', undefined, 'no root key', 'staged'],
    ['openssl-docs', '1.17', 'no root key', 'staged'],
    ['openssl-docs', '1.11', 'no root key', 'staged'],
    // Its root lives for ten years, that of the documentation's recipe as long as the issuer that is asked for.
    ['step', '1.17', 'its root key', 'same-root'],
    ['openssl-docs', '1.17', 'its root key', 'same-key'],
    ['openssl-docs', undefined, 'its root key', 'same-key'],
  ];

  test.each(cases)('made by %s, on Dapr %s, with %s: %s', async (maker, version, key, procedure) => {
    const request = key === 'its root key' && maker in rootKeys ? withKey(maker as keyof typeof rootKeys) : {};
    const plan = await planFor(readForeignBundle(maker), {
      ...request,
      daprVersion: version === undefined ? undefined : dapr(version),
    });
    expect(plan).toMatchObject({ procedure, emergency: undefined });
    expect(plan.proof.pairs.every(({ verifies }) => verifies)).toBe(true);
  });

  test.each(['step', 'openssl-docs'] as const)(
    'made by %s, with its root key and an issuer that ends before the root: the root stays',
    async (maker) => {
      const plan = await planFor(readForeignBundle(maker), { ...withKey(maker), issuerValidMs: 30 * dayMs });
      expect(plan.procedure).toBe('same-root');
      expect(plan.phases.map(({ name }) => name)).toEqual(['switch']);
    },
  );

  test('why no gentler one was taken is said', async () => {
    const { reasons } = await planFor(readForeignBundle('openssl-docs'));
    expect(reasons).toEqual([expect.stringMatching(/^Not bridge: a bridge is not possible: .*path length 0/)]);
  });

  test('a bundle that was bridged three times goes on by steps: a fourth bridge would cut somebody off', async () => {
    let { files } = await makeBundle();
    for (let count = 0; count < 2; count++) files = encodeBundle((await renew(files)).bundle);
    expect((await planFor(files)).procedure).toBe('staged');
  });
});

describe('a procedure that was asked for', () => {
  const sameKey = () => {
    const town = oldTown({ root: { as: 'utf8' } });
    const root = forgeAuthority({ name: 'cluster.local', as: 'printable', key: town.root.key, ...times });
    return { files: town.files, ...ownFiles([root], [forgeAuthority({ name: 'own', signer: root, ...times })]) };
  };
  type Asked = Partial<RotationWish> & { files: BundleFiles };
  const refusals: Record<string, [Procedure, () => Asked, RegExp]> = {
    'a bridge under path length 0': ['bridge', () => ({ files: readForeignBundle('openssl-docs') }), /path length 0/],
    'a bridge under path length 1': ['bridge', () => oldTown({ issuer: { pathLength: 1 } }), /path length 1/],
    'a bridge under a root with path length 2': ['bridge', () => oldTown({ root: { pathLength: 2 } }), /path length 2/],
    'a bridge on 1.19': [
      'bridge',
      () => ({ files: readForeignBundle('sentry-1.18'), daprVersion: dapr('1.19') }),
      /1\.19/,
    ],
    'a bridge on an unknown version': [
      'bridge',
      () => ({ files: readForeignBundle('sentry-1.18'), daprVersion: undefined }),
      /not known/,
    ],
    'the same key, its name in other bytes': ['same-key', sameKey, /other bytes/],
    'the same key without it': ['same-key', () => oldTown(), /needs the key/],
    'the same root without its key': ['same-root', () => oldTown(), /needs the key/],
    'replacing what works': ['replace', () => oldTown(), /calls work today/],
    'retiring where nothing stands beside the root': ['retire', () => oldTown(), /nothing to retire/],
  };

  test.each(Object.entries(refusals))('is refused with the reason: %s', async (_, [procedure, asked, reason]) => {
    const { files, ...wish } = asked();
    const refusal = await planFor(files, { ...wish, procedure }).catch((error: DaprMtlsError) => error);
    expect(refusal).toMatchObject({
      message: expect.stringMatching(reason),
      hint: expect.stringContaining('--procedure'),
    });
  });

  test('retires a bridge, and names the root alone', async () => {
    const { files } = await makeBundle();
    const { bundle, root } = await renew(files);
    const bridged = encodeBundle(bundle);
    const held = [files, bridged].map(({ anchors }) => sidecar({ anchors: anchors.toString() }));
    const { procedure, phases, material, needed } = await planFor(bridged, { procedure: 'retire' }, held);
    expect(procedure).toBe('retire');
    expect(needed).toEqual([root.fingerprint]);
    expect(phases.map(({ name, writes }) => `${name} ${writes}`)).toEqual([
      'switch undefined',
      'distribute undefined',
      'drain undefined',
      'retire after',
    ]);
    expect(material.stages.after).toMatchObject({ anchors: [root], issuerChain: [bundle.issuerChain[0]] });
  });

  test('a trailing root is nothing that could be retired', async () => {
    const { root, issuer } = oldTown();
    await expect(planFor(filesOf([root], [issuer, root]), { procedure: 'retire' })).rejects.toThrow(
      /nothing to retire/,
    );
  });

  test('over a bridge with the key of the running root makes another one, and tells its key', async () => {
    const { files, root } = oldTown();
    const plan = await planFor(files, { ...givenKey(root), procedure: 'bridge' });
    expect(plan.procedure).toBe('bridge');
    expect(plan.material.newRootKey).toBeDefined();
  });

  test('with the key of another root there is none to be kept, and that it is another one is said', async () => {
    const { files } = oldTown({ issuer: { pathLength: 0 } });
    const plan = await planFor(files, givenKey(oldTown().root));
    expect(plan).toMatchObject({ procedure: 'staged', material: { newRootKey: undefined } });
    expect(plan.reasons.join(' ')).toContain("not the running root's");
  });
});

describe('own files', () => {
  test('under the root that is there: the issuer alone', async () => {
    const { files, root } = oldTown();
    const own = ownFiles([root], [forgeAuthority({ name: 'own', signer: root, ...times }), root]);
    const { procedure, material } = await planFor(files, own);
    expect(procedure).toBe('same-root');
    expect(material.stages.after?.files.anchors).toEqual(files.anchors);
  });

  test('with the root anew on its key: it is trusted, although the old one verifies the issuer, too', async () => {
    const { files, root } = oldTown();
    const renewed = forgeAuthority({ name: 'cluster.local', key: root.key, ...times });
    const own = ownFiles([renewed], [forgeAuthority({ name: 'own', signer: renewed, ...times })]);
    const { procedure, material } = await planFor(files, own);
    expect(procedure).toBe('same-key');
    expect(material.stages.after?.anchors).toEqual([readCertificate(renewed.der)]);
  });

  test('with two anchors: both stay in the end, and everybody has to hold them', async () => {
    const { files } = oldTown();
    const [root, next] = [forgeAuthority({ name: 'own root', ...times }), forgeAuthority({ name: 'next', ...times })];
    const middle = forgeAuthority({ name: 'middle', signer: root, ...times });
    const own = ownFiles([root, next], [forgeAuthority({ name: 'own', signer: middle, ...times }), middle, root]);
    const { procedure, material, needed } = await planFor(files, own);
    expect(procedure).toBe('staged');
    expect(material.stages.after?.anchors).toHaveLength(2);
    expect(needed).toEqual(material.stages.after?.anchors.map(({ fingerprint }) => fingerprint));
  });

  test('with the old root among them: nothing is left to retire', async () => {
    const { files, root } = oldTown();
    const next = forgeAuthority({ name: 'own root', ...times });
    const own = ownFiles([next, root], [forgeAuthority({ name: 'own', signer: next, ...times })]);
    const { phases } = await planFor(files, own);
    expect(phases.map(({ name }) => name)).toEqual(['distribute', 'switch']);
  });

  test.each([
    ['1.11', [], undefined, /no DNS name/],
    ['1.13', ['server'], 'cluster.local', /clientAuth/],
    ['1.11', ['server', 'client'], 'cluster.local', undefined],
    ['1.14', ['server'], undefined, undefined],
  ] as const)('on Dapr %s, good for %j, with the DNS name %s', async (version, purposes, dnsName, reason) => {
    const { files } = oldTown({ issuer: { dnsName: 'cluster.local' } });
    const root = forgeAuthority({ name: 'own root', ...times });
    const own = ownFiles([root], [forgeAuthority({ name: 'own', signer: root, purposes, dnsName, ...times })]);
    const planned = planFor(files, { ...own, daprVersion: dapr(version), procedure: 'staged' });
    if (reason) await expect(planned).rejects.toThrow(reason);
    else expect((await planned).procedure).toBe('staged');
  });

  test.each([
    ['1.13.6', /clientAuth/],
    ['1.14.0', undefined],
  ])('beside daprds of %s an issuer that is good for servers alone', async (daprVersion, reason) => {
    const { files } = oldTown();
    const root = forgeAuthority({ name: 'own root', ...times });
    const own = ownFiles([root], [forgeAuthority({ name: 'own', signer: root, purposes: ['server'], ...times })]);
    const held = [sidecar({ anchors: files.anchors.toString(), daprVersion })];
    const planned = planFor(files, { ...own, procedure: 'staged' }, held);
    if (reason) await expect(planned).rejects.toThrow(reason);
    else expect((await planned).procedure).toBe('staged');
  });
});

describe('where calls fail already', () => {
  test('the root has expired, and its key is there: it is renewed on it, and nothing old has to go', async () => {
    const { files, root } = oldTown({ root: past });
    const { procedure, phases, emergency, proof } = await planFor(files, givenKey(root), [
      sidecar({ anchors: files.anchors.toString() }),
    ]);
    expect(procedure).toBe('same-key');
    expect(emergency).toMatch(/expired/);
    expect(phases.map(({ name }) => name)).toEqual(['switch', 'distribute']);
    expect(proof.cutOff).toEqual(['shop/cart']);
  });

  test('the issuer has expired, and the root lives: a new issuer', async () => {
    const { files, root } = oldTown({ issuer: past });
    expect((await planFor(files, givenKey(root))).procedure).toBe('same-root');
  });

  test.each(['root', 'issuer'])('the %s has expired, and no key is there: everything at once', async (which) => {
    const { files } = oldTown({ [which]: past });
    const { procedure, phases } = await planFor(files);
    expect(procedure).toBe('replace');
    expect(phases.map(({ name }) => name)).toEqual(['replace']);
  });

  test('Sentry exits, and those that run still talk: who is cut off is named', async () => {
    const { files } = oldTown();
    const spoilt = { ...files, anchors: Buffer.concat([files.anchors, files.issuerChain]) };
    const sidecars = [sidecar({ anchors: files.anchors.toString() })];
    await expect(planFor(spoilt, {}, sidecars)).rejects.toMatchObject({
      code: 'rotation.unsafe',
      message: expect.stringContaining('its certificates verify still'),
      hint: expect.stringContaining('--procedure replace'),
    });
    const { procedure, phases, proof } = await planFor(spoilt, { procedure: 'replace' }, sidecars);
    expect(procedure).toBe('replace');
    expect(phases.map(({ name }) => name)).toEqual(['replace', 'drain', 'retire']);
    expect(proof.pairs.filter(({ verifies }) => !verifies)).toContainEqual(
      expect.objectContaining({ phase: 'replace', workloads: ['shop/cart'], isOld: false }),
    );
  });

  test('nothing overrides what Sentry refuses', async () => {
    const { files } = oldTown({ root: past });
    const root = forgeAuthority({ name: 'own root', ...times });
    const issuer = forgeAuthority({ name: 'own', signer: root, ...times });
    const own = ownFiles([root], [{ der: issuer.der, key: root.key }]);
    await expect(planFor(files, own)).rejects.toThrow(/Sentry would refuse the bundle: issuer key does not match/);
  });
});

describe('old certificates', () => {
  test('are waited for', async () => {
    const { drain, warnings } = await planFor(oldTown().files);
    expect({ drain, warnings }).toEqual({ drain: 'wait', warnings: [] });
  });

  test('are replaced by a second restart where they would outlive the old issuer', async () => {
    const { files } = oldTown({ issuer: { notAfter: now + 20 * 3_600_000 } });
    const { drain, warnings, phases } = await planFor(files);
    expect(drain).toBe('restart');
    expect(warnings.join(' ')).toMatch(/through by 2026-12-02T08:00Z.*restarted a second time/);
    expect(phases.find(({ name }) => name === 'drain')?.restarts).toEqual(['services', 'applications']);
  });

  test('are not enough up to Dapr 1.11, where sidecars keep the issuer that they were born with', async () => {
    const { files, root } = oldTown({ issuer: { dnsName: 'cluster.local' } });
    const { drain, warnings } = await planFor(files, { daprVersion: dapr('1.11') });
    expect({ drain, warnings }).toMatchObject({ drain: 'restart', warnings: [expect.stringMatching(/born with/)] });
    const issuerOnly = await planFor(files, { daprVersion: dapr('1.11'), ...givenKey(root) });
    expect(issuerOnly.procedure).toBe('same-root');
    expect(issuerOnly.warnings).toEqual([expect.stringMatching(/restart every workload before the old one ends/)]);
  });
});

describe('the versions of daprd count beside that of Sentry', () => {
  const planWith = async (tags: readonly (string | undefined)[], change: Partial<RotationWish> = {}) => {
    const { files } = await makeBundle();
    const anchors = files.anchors.toString();
    const sidecars = tags.map((daprVersion, index) =>
      sidecar({ anchors, daprVersion, workload: { kind: 'Deployment', name: `app-${index}` } }),
    );
    return await planFor(files, change, sidecars);
  };
  const proven = /^Not bridge: a bridge is proven on Dapr 1\.11 to 1\.18, and /;

  test.each<[string, readonly (string | undefined)[], Procedure, RegExp | undefined]>([
    ['all of them proven', ['1.11.6', '1.18.3', '1.17.0-mariner'], 'bridge', undefined],
    ['the oldest not', ['1.17.13', '1.10.4', '1.10.4', '1.9.0'], 'staged', /daprd is 1\.9\.0 in shop\/app-3\.$/],
    ['the newest not', ['1.17.13', '1.19.0'], 'staged', /daprd is 1\.19\.0 in shop\/app-1\.$/],
    ['one named by its digest', ['1.17.13', undefined], 'staged', /not known which daprd runs in shop\/app-1 \(--dapr/],
    [
      'one with a tag of somebody',
      ['1.17.13', 'nightly'],
      'staged',
      /not known which daprd runs in shop\/app-1 \(--dapr/,
    ],
  ])('for a bridge: %s', async (_, tags, procedure, reason) => {
    const plan = await planWith(tags);
    expect(plan.procedure).toBe(procedure);
    expect(plan.reasons).toEqual(reason ? [expect.stringMatching(proven)] : []);
    if (reason) expect(plan.reasons[0]).toMatch(reason);
  });

  test('what people say that runs there counts for who does not tell, and not against who does', async () => {
    const statedVersion = dapr('1.17');
    expect((await planWith([undefined, '1.16.1'], { statedVersion })).procedure).toBe('bridge');
    expect((await planWith([undefined, '1.10.1'], { statedVersion })).procedure).toBe('staged');
  });

  test('a bridge that was asked for is refused all the same; whom somebody answers for does not count', async () => {
    await expect(planWith(['1.10.4'], { procedure: 'bridge' })).rejects.toMatchObject({ code: 'trust.impossible' });
    expect((await planWith(['1.10.4'], { skipped: ['shop/app-0'] })).procedure).toBe('bridge');
  });

  test('one of 1.11 is enough for issuers to be kept, and for a drain by a restart', async () => {
    const { keepsIssuers, drain, warnings } = await planWith(['1.17.13', '1.11.6']);
    expect([keepsIssuers, drain]).toEqual([true, 'restart']);
    expect(warnings).toEqual([expect.stringMatching(/1\.11 sidecars keep/)]);
    const young = await planWith(['1.17.13', '1.12.0']);
    expect([young.keepsIssuers, young.drain, young.warnings]).toEqual([false, 'wait', []]);
  });

  test('who does not tell is named in a warning', async () => {
    const { keepsIssuers, warnings } = await planWith([undefined, '1.17.13']);
    expect(keepsIssuers).toBe(false);
    expect(warnings).toEqual([
      expect.stringMatching(/^It is not known which daprd runs in shop\/app-0: .*--drain restart/),
    ]);
  });
});
