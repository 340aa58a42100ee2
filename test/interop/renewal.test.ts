import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { listTrustPairs } from '../../src/app/renew/effects.ts';
import type { Renewal } from '../../src/app/renew/renewal.ts';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import type { Certificate } from '../../src/pki/certificate.ts';
import { encodeBundle, encodeCertificates } from '../../src/pki/encode.ts';
import { encodePrivateKey, generateKey, keyTypes, readPrivateKey } from '../../src/pki/keys.ts';
import { encodePem } from '../../src/pki/pem.ts';
import { certificatesOf, readCertificateFile } from '../../src/pki/reading.ts';
import { currentOf, dayMs, type MadeBundle, makeBundle, renew } from '../support/bundles.ts';
import { fixtureInstant, readFixture, readForeignBundle } from '../support/fixtures.ts';
import {
  type Attribute,
  authorityKeyId,
  basicConstraints,
  forge,
  keyUsage,
  name,
  subjectKeyId,
} from '../support/forged-certificate.ts';
import { accepted, type Judge, openJudge, skippedWithoutGo } from './go-judge.ts';

const at = fixtureInstant;
const run = promisify(execFile);
const judge = await openJudge();
const hasOpenssl = await run('openssl', ['version']).then(
  () => true,
  () => false,
);

if (!judge) {
  test.skip(skippedWithoutGo);
} else {
  describe('on the key of the root', async () => {
    const bundles = await bundlesWithRootKey(judge);

    test.each(Object.entries(bundles))(
      '%s: old and new verify each other, whoever holds what',
      async (_, { files, rootKey }) => {
        const renewal = await renew(files, { kind: 'private-key', rootKey, procedure: undefined });
        expect(renewal.procedure).toBe('same-key');
        const renewed = encodeBundle(renewal.bundle);
        const [old, fresh] = [await sidecar(judge, files), await sidecar(judge, renewed)];
        const both = files.anchors.toString() + renewed.anchors.toString();
        for (const anchors of [old.anchors, fresh.anchors, both]) {
          expect(await verifies(judge, old, anchors)).toEqual({ ok: true });
          expect(await verifies(judge, fresh, anchors)).toEqual({ ok: true });
        }
        expect(await shakeHands(judge, old, fresh)).toEqual([{ ok: true }, { ok: true }]);
        expect(await whatSentrySays(judge, renewed)).toMatchObject({ ok: true });
      },
    );

    test('with another key it is a new root, and that is said', async () => {
      const { files } = await makeBundle();
      const rootKey = generateKey('p256');
      const renewal = await renew(files, { kind: 'private-key', rootKey, procedure: undefined });
      expect(renewal.procedure).toBe('bridge');
      expect(renewal.remarks.join()).toContain("not the running root's");
    });
  });

  describe('a root whose name is spelt oddly, renewed on its key', () => {
    const spellings: Record<string, readonly (Attribute | readonly Attribute[])[]> = {
      'a UTF8String beyond ASCII': [{ type: 'commonName', as: 'utf8', value: 'Größe 根' }],
      'a UTF8String that could be printable': [{ type: 'commonName', as: 'utf8', value: 'cluster.local' }],
      'a PrintableString': [{ type: 'commonName', as: 'printable', value: 'cluster.local' }],
      'a PrintableString with what Go tolerates': [{ type: 'commonName', as: 'printable', value: '*.A&B' }],
      'an IA5String': [{ type: 'commonName', as: 'ia5', value: 'user@cluster.local' }],
      'a T61String': [{ type: 'commonName', as: 't61', value: 'Gr\xf6\xdfe' }],
      'a BMPString': [{ type: 'commonName', as: 'bmp', value: 'Größe' }],
      'two attributes in one RDN': [
        [
          { type: 'commonName', as: 'utf8', value: 'cluster.local' },
          { type: 'unit', as: 'printable', value: 'sentry' },
        ],
      ],
      'an RDN that is not sorted as DER wants it': [
        [
          { type: 'unit', as: 'printable', value: 'sentry' },
          { type: 'commonName', as: 'utf8', value: 'cluster.local' },
        ],
      ],
      'a common name of 200 characters': [{ type: 'commonName', as: 'utf8', value: 'x'.repeat(200) }],
      'one attribute three times': ['a', 'b', 'a'].map((value) => ({
        type: 'organization' as const,
        as: 'utf8' as const,
        value,
      })),
      'an empty value': [{ type: 'commonName', as: 'utf8', value: '' }],
      'nothing at all': [],
    };

    test.each(Object.entries(spellings))('%s: its bytes are copied, and both sides verify', async (_, rdns) => {
      const subject = name(...rdns);
      const { files, rootKey } = forgeBundle(subject);
      const renewal = await renew(files, { kind: 'private-key', rootKey, procedure: undefined });
      expect(renewal.procedure).toBe('same-key');
      const [parsed] = await judge([{ op: 'parse', der: renewal.root.der }]);
      expect(accepted(parsed).certificate.rawSubject).toBe(subject.toString('hex'));
      expect(accepted(parsed).certificate.rawIssuer).toBe(subject.toString('hex'));
      const renewed = encodeBundle(renewal.bundle);
      const [old, fresh] = [await sidecar(judge, files), await sidecar(judge, renewed)];
      expect(await verifies(judge, fresh, old.anchors)).toEqual({ ok: true });
      expect(await verifies(judge, old, fresh.anchors)).toEqual({ ok: true });
      expect(await shakeHands(judge, old, fresh)).toEqual([{ ok: true }, { ok: true }]);
    });
  });

  describe('afresh, over a bridge', async () => {
    const bundles = await bundlesThatTakeABridge();

    test.each(Object.entries(bundles))(
      '%s: who holds only the old root and who holds only the new one verify',
      async (_, files) => {
        const renewal = await renew(files);
        expect(renewal).toMatchObject({ procedure: 'bridge', remarks: [] });
        const bridged = encodeBundle(renewal.bundle);
        const newRoot = encodeCertificates([renewal.root]).toString();
        const [old, fresh] = [await sidecar(judge, files), await sidecar(judge, bridged)];
        for (const anchors of [old.anchors, newRoot, fresh.anchors]) {
          expect(await verifies(judge, fresh, anchors)).toEqual({ ok: true });
        }
        expect(await verifies(judge, old, old.anchors)).toEqual({ ok: true });
        expect(await verifies(judge, old, fresh.anchors)).toEqual({ ok: true });
        expect(await verifies(judge, old, newRoot)).toMatchObject({ ok: false });
        // Not restarted yet: old certificate and anchors. Then with a new certificate only. Then born after it all.
        const [renewedOnly, bornLater] = [
          { ...fresh, anchors: old.anchors },
          { ...fresh, anchors: newRoot },
        ];
        expect(await shakeHands(judge, old, fresh)).toEqual([{ ok: true }, { ok: true }]);
        expect(await shakeHands(judge, old, renewedOnly)).toEqual([{ ok: true }, { ok: true }]);
        expect(await shakeHands(judge, renewedOnly, bornLater)).toEqual([{ ok: true }, { ok: true }]);
        expect(await whatSentrySays(judge, bridged)).toMatchObject({ ok: true });
      },
    );

    test.each(['step', 'openssl-docs'] as const)(
      '%s: its path length bars the bridge, and the remark says so',
      async (maker) => {
        const renewal = await renew(readForeignBundle(maker));
        expect(renewal.procedure).toBe('replace');
        expect(renewal.remarks).toEqual([expect.stringMatching(/^No bridge: .*path length 0 of /)]);
      },
    );

    test.each([0, 1, 2, 3])('under an issuer with path length %d Go decides as we do', async (issuerPathLength) => {
      const { files } = await makeBundle({ issuerPathLength });
      const renewal = await renew(files);
      expect(renewal.procedure).toBe(issuerPathLength < 2 ? 'replace' : 'bridge');
      if (renewal.procedure === 'replace') return;
      const fresh = await sidecar(judge, encodeBundle(renewal.bundle));
      expect(await verifies(judge, fresh, files.anchors.toString())).toEqual({ ok: true });
    });
  });

  test('renewal upon renewal: what is said of each holder is what Go finds', async () => {
    const generations: Certificate[] = [];
    let { files } = await makeBundle();
    const cutOff: string[] = [];
    for (let generation = 1; generation <= 4; generation++) {
      const now = new Date(at.getTime() + generation * dayMs);
      const current = currentOf(files, now);
      generations.push(...(current.root ? [current.root] : []));
      const renewal = await renew(files, undefined, { now });
      expect(renewal.procedure).toBe('bridge');
      await expectTruthfulPairs(judge, files, renewal, now);

      const bridged = encodeBundle(renewal.bundle);
      const fresh = await sidecar(judge, bridged, now);
      cutOff.push(...renewal.remarks.flatMap((remark) => /anchor ([0-9a-f]+) \(/.exec(remark)?.[1] ?? []));
      for (const root of generations) {
        const isSaidToBeCutOff = cutOff.some((fingerprint) => root.fingerprint.startsWith(fingerprint));
        const { ok } = await verifies(judge, fresh, encodeCertificates([root]).toString(), now);
        expect({ root: root.fingerprint, ok }).toEqual({ root: root.fingerprint, ok: !isSaidToBeCutOff });
      }
      files = bridged;
    }
    // The oldest two of four roots are given up, one in the third renewal and one in the fourth.
    expect(cutOff).toEqual(
      generations.slice(0, 2).map(({ fingerprint }) => expect.stringMatching(`^${fingerprint.slice(0, 8)}`)),
    );
  });

  test.each(['p256', 'ed25519'] as const)(
    'a bridge, then the root on its key: who was served goes on being served (%s)',
    async (keyType) => {
      const { files } = await makeBundle({ keyType });
      const bridge = await renew(files, undefined, { keyType });
      const rootKey = bridge.rootKey;
      if (!rootKey) throw new Error('a bridge has a new root key');
      const bridged = encodeBundle(bridge.bundle);
      const renewal = await renew(bridged, { kind: 'private-key', rootKey, procedure: undefined });
      expect(renewal.procedure).toBe('same-key');
      const [old, fresh] = [await sidecar(judge, files), await sidecar(judge, encodeBundle(renewal.bundle))];
      for (const anchors of [old.anchors, bridged.anchors.toString(), fresh.anchors]) {
        expect(await verifies(judge, fresh, anchors)).toEqual({ ok: true });
      }
      await expectTruthfulPairs(judge, bridged, renewal, at);
    },
  );

  test('a replacement that cuts off says of each pair what Go finds', async () => {
    const files = readForeignBundle('step');
    const renewal = await renew(files);
    const pairs = await expectTruthfulPairs(judge, files, renewal, at);
    expect(pairs.some(({ verifies: ok }) => !ok)).toBe(true);
  });
}

describe.skipIf(!hasOpenssl)('openssl verify -x509_strict (openssl on the PATH)', () => {
  const folders: string[] = [];
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

  async function verifyStrictly(anchors: Buffer, untrusted: Buffer, certificate: Buffer): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'dapr-mtls-strict-'));
    folders.push(folder);
    const write = async (file: string, content: Buffer) => {
      await writeFile(join(folder, file), content);
      return join(folder, file);
    };
    const files = [
      '-CAfile',
      await write('anchors.pem', anchors),
      '-untrusted',
      await write('untrusted.pem', untrusted),
      await write('certificate.pem', certificate),
    ];
    const moment = String(at.getTime() / 1000);
    await run('openssl', ['verify', '-x509_strict', '-no-CApath', '-no-CAstore', '-attime', moment, ...files]);
  }

  test.each(keyTypes)('takes our root and issuer (%s)', async (keyType) => {
    const { files } = await makeBundle({ keyType });
    await verifyStrictly(files.anchors, files.issuerChain, files.issuerChain);
    await verifyStrictly(files.anchors, files.issuerChain, files.anchors);
  });

  test.each(['p256', 'ed25519', 'rsa2048'] as const)(
    'takes a bridge from the old root and from the new one (%s)',
    async (keyType) => {
      const { files } = await makeBundle({ keyType });
      const { bundle, root } = await renew(files, undefined, { keyType });
      const bridged = encodeBundle(bundle);
      await verifyStrictly(files.anchors, bridged.issuerChain, bridged.issuerChain);
      await verifyStrictly(encodeCertificates([root]), bridged.issuerChain, bridged.issuerChain);
    },
  );

  test('takes either issuer under either root after a renewal on the key', async () => {
    const { files, rootKey } = await makeBundle();
    const { bundle } = await renew(files, { kind: 'private-key', rootKey, procedure: undefined });
    const renewed = encodeBundle(bundle);
    await verifyStrictly(files.anchors, renewed.issuerChain, renewed.issuerChain);
    await verifyStrictly(renewed.anchors, files.issuerChain, files.issuerChain);
  });

  test('refuses an issuer of another root', async () => {
    const [one, other] = [await makeBundle(), await makeBundle()];
    await expect(verifyStrictly(one.files.anchors, other.files.issuerChain, other.files.issuerChain)).rejects.toThrow();
  });
});

type RenewableBundle = Pick<MadeBundle, 'files' | 'rootKey'>;

/** Every maker that leaves a root key. Sentry throws its own away: the judge makes one as Sentry does, and keeps it. */
async function bundlesWithRootKey(judge: Judge): Promise<Record<string, RenewableBundle>> {
  const [ecdsa, ed25519] = await judge([
    { op: 'bundle', trustDomain: 'cluster.local', skewSeconds: 900, keyType: 'ecdsa-p256', at },
    { op: 'bundle', trustDomain: 'cluster.local', skewSeconds: 900, keyType: 'ed25519', at },
  ]);
  const ours = await Promise.all(
    keyTypes.map(async (keyType) => [`ours, ${keyType}`, await makeBundle({ keyType })] as const),
  );
  const fromSentry = ({ ca, issuer, key, rootKey }: Record<'ca' | 'issuer' | 'key' | 'rootKey', string>) => ({
    files: { anchors: Buffer.from(ca), issuerChain: Buffer.from(issuer), issuerKey: Buffer.from(key) },
    rootKey: readPrivateKey(Buffer.from(rootKey), 'root.key'),
  });
  const fromFixture = (maker: 'step' | 'openssl-docs', path: string) => ({
    files: readForeignBundle(maker),
    rootKey: readPrivateKey(readFixture(`pki/${maker}/${path}`), path),
  });
  return {
    ...Object.fromEntries(ours),
    'as Sentry up to 1.17 makes it': fromSentry(accepted(ecdsa)),
    'as Sentry 1.18 makes it': fromSentry(accepted(ed25519)),
    step: fromFixture('step', 'ca.key'),
    "the documentation's recipe": fromFixture('openssl-docs', 'root.key'),
    'the same, its key behind EC PARAMETERS': fromFixture('openssl-docs', 'root-with-ec-parameters.key'),
  };
}

async function bundlesThatTakeABridge(): Promise<Record<string, BundleFiles>> {
  const ours = await Promise.all(
    keyTypes.map(async (keyType) => [`ours, ${keyType}`, (await makeBundle({ keyType })).files] as const),
  );
  const sentry = (['sentry-1.11', 'sentry-1.17', 'sentry-1.18'] as const).map(
    (maker) => [maker, readForeignBundle(maker)] as const,
  );
  return Object.fromEntries([...ours, ...sentry]);
}

/** A root of that name, and an issuer below it. */
function forgeBundle(subject: Buffer): RenewableBundle {
  const [rootKey, issuerKey] = [generateKey('p256'), generateKey('p256')];
  const shared = {
    issuer: subject,
    signer: rootKey,
    notBefore: new Date(at.getTime() - dayMs),
    notAfter: new Date(at.getTime() + dayMs),
  };
  const [rootId, issuerId] = [Buffer.alloc(20, 1), Buffer.alloc(20, 2)];
  const usage = [basicConstraints(true), keyUsage('keyCertSign', 'cRLSign'), authorityKeyId(rootId)];
  const root = forge({ ...shared, subject, key: rootKey, extensions: [...usage, subjectKeyId(rootId)] });
  const issuerName = name({ type: 'commonName', as: 'utf8', value: 'issuer' });
  const issuer = forge({
    ...shared,
    subject: issuerName,
    key: issuerKey,
    extensions: [...usage, subjectKeyId(issuerId)],
  });
  const files = {
    anchors: Buffer.from(encodePem('CERTIFICATE', root)),
    issuerChain: Buffer.from(encodePem('CERTIFICATE', issuer)),
    issuerKey: Buffer.from(encodePrivateKey(issuerKey)),
  };
  return { files, rootKey };
}

interface Sidecar {
  readonly chain: string;
  readonly key: string;
  readonly anchors: string;
}

/** A sidecar that Sentry has just given a certificate, born with the bundle's anchors. */
async function sidecar(judge: Judge, { anchors, issuerChain, issuerKey }: BundleFiles, now = at): Promise<Sidecar> {
  const [leaf] = await judge([
    {
      op: 'leaf',
      issuerChain: issuerChain.toString(),
      issuerKey: issuerKey.toString(),
      id_spiffe: 'spiffe://cluster.local/ns/default/app',
      ttlSeconds: 3600,
      skewSeconds: 900,
      at: now,
    },
  ]);
  return { chain: accepted(leaf).chain, key: accepted(leaf).key, anchors: anchors.toString() };
}

async function verifies(judge: Judge, { chain }: Sidecar, anchors: string, now = at) {
  const [answer] = await judge([{ op: 'verify', chain, anchors, usages: ['server', 'client'], at: now }]);
  return answer;
}

/** Mutual TLS, each of the two as the server once. */
async function shakeHands(judge: Judge, one: Sidecar, other: Sidecar) {
  return judge([
    { op: 'handshake', server: one, client: other, at },
    { op: 'handshake', server: other, client: one, at },
  ]);
}

async function whatSentrySays(judge: Judge, { anchors, issuerChain, issuerKey }: BundleFiles) {
  const [answer] = await judge([{ op: 'sentry', ca: anchors, issuer: issuerChain, key: issuerKey, at }]);
  return answer;
}

/** Every pair that the report names, asked of Go. */
async function expectTruthfulPairs(judge: Judge, before: BundleFiles, renewal: Renewal, now: Date) {
  const current = currentOf(before, now);
  const pairs = listTrustPairs(current, renewal.bundle, now);
  const after = encodeBundle(renewal.bundle);
  const [old, fresh] = [await sidecar(judge, before, now), await sidecar(judge, after, now)];
  const anchors = certificatesOf(readCertificateFile('anchors', before.anchors));
  const anchorsOf = (holder: string) => {
    if (holder === 'the new anchors') return after.anchors;
    if (holder === 'all the old anchors') return before.anchors;
    const fingerprint = /^only the old anchor ([0-9a-f]+)$/.exec(holder)?.[1] ?? 'none';
    const held = anchors.filter((anchor) => anchor.fingerprint.startsWith(fingerprint));
    expect(held).toHaveLength(1);
    return encodeCertificates(held);
  };
  for (const { holder, shown, verifies: said } of pairs) {
    const leaf = shown === 'certificates of the old issuer' ? old : fresh;
    const { ok } = await verifies(judge, leaf, anchorsOf(holder).toString(), now);
    expect({ holder, shown, ok }).toEqual({ holder, shown, ok: said });
  }
  expect(pairs.length).toBeGreaterThanOrEqual(2);
  return pairs;
}
