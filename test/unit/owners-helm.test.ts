import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { digest } from '../../src/kube/owners/digest.ts';
import { decodeRecord, type HelmRecord } from '../../src/kube/owners/helm-record.ts';
import { describeRelease } from '../../src/kube/owners/helm-release.ts';
import { splitManifest } from '../../src/kube/owners/manifest.ts';
import { encodeRelease, manifestOf, releaseOf } from '../support/helm-release.ts';

const bundle = { name: 'dapr-trust-bundle', namespace: 'dapr-system' };
const pem = { 'ca.crt': 'a root\n', 'issuer.crt': 'an issuer\n', 'issuer.key': 'a secret key\n' };
const values = {
  dapr_sentry: {
    tls: { root: { certPEM: 'a root\n' }, issuer: { certPEM: 'an issuer\n', keyPEM: 'a secret key\n' } },
  },
};

const read = (wishes: Parameters<typeof releaseOf>[0] = {}): HelmRecord => {
  const record = decodeRecord(encodeRelease(releaseOf(wishes)));
  if (!record) throw new Error('no record');
  return record;
};

describe('a release record', () => {
  test('is read through its four wrappings', () => {
    expect(read({ revision: 7, status: 'failed', chartVersion: '1.17.13' })).toMatchObject({
      name: 'dapr',
      namespace: 'dapr-system',
      revision: 7,
      status: 'failed',
      chart: { name: 'dapr', version: '1.17.13' },
      applyMethod: 'client-side',
    });
  });

  test('tells by which method Helm 4 applied it', () => {
    expect(read({ applyMethod: 'ssa' }).applyMethod).toBe('server-side');
    expect(read({ applyMethod: 'csa' }).applyMethod).toBe('client-side');
  });

  test('of an early Helm 3, not compressed, is read too', () => {
    const plain = Buffer.from(JSON.stringify(releaseOf())).toString('base64');
    expect(decodeRecord(Buffer.from(plain).toString('base64'))?.name).toBe('dapr');
  });

  test.each([
    ['nothing', ''],
    ['no base64', '%%%%'],
    ['no JSON', Buffer.from(gzipSync('none').toString('base64')).toString('base64')],
    ['a list', encodeRelease([])],
    ['no manifest', encodeRelease({ name: 'dapr' })],
    ['a cut one', encodeRelease(releaseOf()).slice(0, 200)],
    ['more than a Secret may hold', 'A'.repeat(3 * 1024 * 1024)],
  ])('that is %s is none', (_, stored) => {
    expect(decodeRecord(stored)).toBeUndefined();
  });

  test('that would unpack to more memory than there is, is none', () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' ')).toString('base64');
    expect(decodeRecord(Buffer.from(bomb).toString('base64'))).toBeUndefined();
  });
});

describe('what a release says of the bundle', () => {
  const release = (...wishes: Parameters<typeof releaseOf>[0][]) => describeRelease(wishes.map(read), bundle);

  test('no data without values, and the two objects all the same', async () => {
    const found = await release({});
    expect(found?.valuesPath).toEqual(['dapr_sentry', 'tls']);
    expect(found?.revisions[0]).toEqual({
      revision: 1,
      status: 'deployed',
      values: { root: false, issuerCertificate: false, issuerKey: false },
      rendered: { Secret: {}, ConfigMap: {} },
    });
  });

  test('with values: which there are, and the digests of what is rendered', async () => {
    const [newest] = (await release({ config: values, data: pem }))?.revisions ?? [];
    expect(newest?.values).toEqual({ root: true, issuerCertificate: true, issuerKey: true });
    expect(newest?.rendered.ConfigMap).toEqual({ 'ca.crt': digest('a root\n') });
    expect(newest?.rendered.Secret?.['issuer.key']).toBe(digest('a secret key\n'));
  });

  test('holds neither a key nor a certificate, only digests', async () => {
    const text = JSON.stringify(await release({ config: values, data: pem }));
    for (const value of Object.values(pem)) {
      expect(text).not.toContain(value.trim());
      expect(text).not.toContain(Buffer.from(value).toString('base64'));
    }
  });

  test('within a parent chart: values below the name of the chart, also those of the parent itself', async () => {
    const source = 'platform/charts/dapr/charts/dapr_sentry/templates/dapr_sentry_deployment.yaml';
    const found = await release({ source, defaults: { dapr: values }, data: pem });
    expect(found?.valuesPath).toEqual(['dapr', 'dapr_sentry', 'tls']);
    expect(found?.revisions[0].values).toEqual({ root: true, issuerCertificate: true, issuerKey: true });
  });

  test('an empty value is none', async () => {
    const config = { dapr_sentry: { tls: { root: { certPEM: ' ' }, issuer: { certPEM: '', keyPEM: null } } } };
    expect((await release({ config }))?.revisions[0].values).toEqual({
      root: false,
      issuerCertificate: false,
      issuerKey: false,
    });
  });

  test('that renders neither object it is not ours', async () => {
    expect(await release({ manifest: '---\nkind: Secret\nmetadata: { name: other }\n' })).toBeUndefined();
    const elsewhere = manifestOf({}).replaceAll('namespace: dapr-system', 'namespace: other');
    expect(await release({ manifest: elsewhere })).toBeUndefined();
  });

  test('a document that is no YAML is passed over', async () => {
    const manifest = `---\nkind: Secret\nname: dapr-trust-bundle\n  broken: [\n${manifestOf({})}`;
    expect((await release({ manifest }))?.revisions[0].rendered.Secret).toEqual({});
  });

  test('stringData counts as data', async () => {
    const manifest = manifestOf({}).replace('type: Opaque', 'stringData:\n  ca.crt: "a root\\n"');
    expect((await release({ manifest }))?.revisions[0].rendered.Secret).toEqual({ 'ca.crt': digest('a root\n') });
  });

  test('each revision speaks for itself', async () => {
    const found = await release({ revision: 3, status: 'failed' }, { revision: 2, config: values, data: pem });
    expect(found?.revisions.map(({ revision, status }) => [revision, status])).toEqual([
      [3, 'failed'],
      [2, 'deployed'],
    ]);
    expect(found?.revisions[0].values.issuerKey).toBe(false);
    expect(found?.revisions[1]?.values.issuerKey).toBe(true);
  });
});

test('a manifest is cut at its separators, not within a text', () => {
  const manifest = '---\n# Source: a/templates/x.yaml\na: |\n  ---\n  b\n---  \r\n# Source: b.yaml\r\nc: 1\n---\n\n';
  expect(splitManifest(manifest).map(({ source }) => source)).toEqual(['a/templates/x.yaml', 'b.yaml']);
});
