import { describe, expect, test } from 'vitest';
import { brokenPairs, isProven, type Proof, type ProofInput, provePhases } from '../../src/app/rotate/proof.ts';
import type { PhaseStatus, Procedure } from '../../src/app/rotate/record.ts';
import { readCertificate } from '../../src/pki/certificate.ts';
import { encodeCertificates } from '../../src/pki/encode.ts';
import { dayMs, makeBundle } from '../support/bundles.ts';
import { fixtureInstant } from '../support/fixtures.ts';
import { planFor, sidecar } from '../support/rotation-plans.ts';
import { filesOf, forgeAuthority } from '../support/rotation-worlds.ts';

const at = fixtureInstant;
const times = { notBefore: at.getTime() - dayMs, notAfter: at.getTime() + 300 * dayMs };
const { files } = await makeBundle();
const old = files.anchors.toString();

/** A plan of that procedure, and the proof of it with a world of one's own. */
async function prove(
  procedure: Procedure,
  sidecars: readonly ReturnType<typeof sidecar>[] | undefined,
  statuses: Readonly<Record<string, PhaseStatus>> = {},
  change: Partial<ProofInput> = {},
): Promise<Proof> {
  const { phases, material, needed } = await planFor(files, { procedure });
  return provePhases({
    phases: phases.map((phase) => ({ ...phase, status: statuses[phase.name] ?? 'due' })),
    stages: material.stages,
    world: { sidecars },
    needed,
    skipped: [],
    at,
    ...change,
  });
}

function phrase({ phase, holder, shown, verifies }: Proof['pairs'][number]): string {
  return `${phase}: ${holder} / ${shown.replace(/ [0-9a-f]{8}$/, ' N')}: ${verifies}`;
}

describe('who meets whom', () => {
  test('in a staged rotation: nobody with the old anchors alone is left when the new issuer signs', async () => {
    const { pairs } = await prove('staged', []);
    const peers = pairs.filter(({ holder }) => !holder.includes('API server'));
    expect(peers.map(phrase)).toEqual([
      'distribute: the old anchors / certificates of the old issuer: true',
      'distribute: old and new anchors / certificates of the old issuer: true',
      'switch: old and new anchors / certificates of the old issuer: true',
      'switch: old and new anchors / certificates of the issuer N: true',
      'drain: old and new anchors / certificates of the old issuer: true',
      'drain: old and new anchors / certificates of the issuer N: true',
      'retire: old and new anchors / certificates of the issuer N: true',
      'retire: the new anchor alone / certificates of the issuer N: true',
    ]);
  });

  test('over a bridge: who holds the old anchors meets the new issuer, and goes before the bridge does', async () => {
    const { pairs } = await prove('bridge', []);
    const peers = pairs.filter(({ holder }) => !holder.includes('API server')).map(phrase);
    expect(peers).toContain('switch: the old anchors / certificates of the issuer N: true');
    expect(peers.filter((text) => text.startsWith('retire: the old anchors'))).toEqual([]);
  });

  test('the API server asks the injector with each set of anchors, in a cluster alone', async () => {
    const holders = async (sidecars: [] | undefined) =>
      (await prove('staged', sidecars)).pairs.map(({ holder }) => holder);
    const asked = (await holders([])).filter((holder) => holder.includes('API server'));
    expect(new Set(asked).size).toBe(3);
    expect((await holders(undefined)).some((holder) => holder.includes('API server'))).toBe(false);
  });

  test('somebody may hold each of several old anchors alone', async () => {
    const [one, other] = ['one', 'other'].map((name) => forgeAuthority({ name, ...times }));
    if (!one || !other) throw new Error('two of them');
    const two = filesOf([one, other], [forgeAuthority({ name: 'issuer', signer: one, ...times })]);
    const { proof } = await planFor(two, { procedure: 'staged' });
    const only = readCertificate(one.der).fingerprint.slice(0, 8);
    expect(proof.pairs).toContainEqual(
      expect.objectContaining({ phase: 'distribute', holder: `only the anchor ${only}` }),
    );
  });

  test('until when each pair holds, and the first of them', async () => {
    const { pairs, deadline } = await prove('staged', []);
    const end = new Date(at.getTime() + 365 * dayMs);
    expect(new Set(pairs.map(({ until }) => until?.getTime()))).toEqual(new Set([end.getTime()]));
    expect(deadline).toEqual(end);
  });
});

describe('a sidecar with old anchors', () => {
  const cart = sidecar({ anchors: old });

  test('is waited for, and so no reason against a staged rotation', async () => {
    expect(isProven(await prove('staged', [cart]))).toBe(true);
  });

  test('that comes behind the gate is a reason not to switch, and it is named', async () => {
    const proof = await prove('staged', [cart], { distribute: 'passed' });
    expect(isProven(proof)).toBe(false);
    const broken = brokenPairs(proof).filter(({ phase }) => phase === 'switch');
    expect(broken).toEqual([expect.objectContaining({ workloads: ['shop/cart'], isOld: false })]);
  });

  test('that comes when the issuer was switched loses nothing more by what follows', async () => {
    const proof = await prove('staged', [cart], { distribute: 'passed', switch: 'passed' });
    expect(proof.pairs.filter(({ isOld }) => isOld)).not.toEqual([]);
    expect(isProven(proof)).toBe(true);
    expect(proof.cutOff).toEqual(['shop/cart']);
  });

  test('is a reason not to take a bridge away', async () => {
    const passed = { switch: 'passed', distribute: 'passed', drain: 'passed' } as const;
    expect(isProven(await prove('bridge', [], passed))).toBe(true);
    const broken = brokenPairs(await prove('bridge', [cart], passed));
    expect(broken).toEqual([expect.objectContaining({ phase: 'retire', workloads: ['shop/cart'] })]);
  });

  test('that somebody has answered for is no reason', async () => {
    const skipped = { skipped: ['shop/cart'] };
    expect(isProven(await prove('staged', [cart], { distribute: 'passed' }, skipped))).toBe(true);
  });

  test('and one that does not tell what it holds counts as one', async () => {
    const silent = sidecar({ anchors: undefined });
    expect(isProven(await prove('staged', [silent], { distribute: 'passed' }))).toBe(false);
    const { cutOff } = await prove('staged', [silent]);
    expect(cutOff).toEqual([]);
  });
});

describe('a sidecar that verifies nobody', () => {
  const foreign = encodeCertificates([readCertificate(forgeAuthority({ name: 'foreign', ...times }).der)]).toString();

  test.each([
    ['holds a foreign anchor', foreign],
    ['holds nothing that can be read', 'no certificate'],
  ])('%s: it is told, and no reason against anything', async (_, anchors) => {
    const proof = await prove('staged', [sidecar({ anchors }), sidecar({ anchors: old + foreign })]);
    expect(isProven(proof)).toBe(true);
    expect(proof.cutOff).toEqual(['shop/cart']);
  });
});

describe('what Sentry would not start on', () => {
  test('is named with its stage, and nothing overrides it', async () => {
    const { phases, material, needed } = await planFor(files, { procedure: 'staged' });
    const { switched, before } = material.stages;
    if (!switched || !before) throw new Error('a staged rotation has them');
    const stages = {
      ...material.stages,
      switched: { ...switched, files: { ...switched.files, issuerKey: before.files.issuerKey } },
    };
    const due = phases.map((phase) => ({ ...phase, status: 'due' as const }));
    const proof = provePhases({ phases: due, stages, world: { sidecars: [] }, needed, skipped: [], at });
    expect(proof.refusals).toEqual([{ stage: 'switched', reason: 'issuer key does not match issuer certificate' }]);
    expect(isProven(proof)).toBe(false);
    expect(isProven({ pairs: [], refusals: proof.refusals })).toBe(false);
  });
});

test('only the phase replace may break what its plan names', () => {
  const pair = { holder: '', workloads: [], shown: '', verifies: false, isOld: false, reason: '', until: undefined };
  expect(isProven({ refusals: [], pairs: [{ ...pair, phase: 'replace' }] })).toBe(true);
  expect(isProven({ refusals: [], pairs: [{ ...pair, phase: 'retire' }] })).toBe(false);
});
