import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { buildHelmValues, daprValuesPath } from '../../src/app/owners/helm-values.ts';
import { buildManifests } from '../../src/app/owners/manifest.ts';
import { bundleNames, makeBundle } from '../support/bundles.ts';

const { files } = await makeBundle();
const keySource = 'it is in own-issuer.key';
const withKey = { valuesPath: daprValuesPath, withIssuerKey: true, keySource };
const secretData = { 'jwt.key': 'c2VjcmV0', 'jwks.json': 'e30=', 'ca.crt': 'b2xk', 'issuer.key': 'b2xk' };
const live = {
  secret: {
    metadata: {
      name: 'dapr-trust-bundle',
      namespace: 'dapr-system',
      uid: '1',
      resourceVersion: '7',
      labels: { app: 'dapr-sentry' },
      annotations: {
        'meta.helm.sh/release-name': 'dapr',
        'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"issuer.key":"b2xk"}}',
        'dapr-mtls/fence': '1f',
      },
    },
    type: 'Opaque',
    data: secretData,
  },
  configMap: { metadata: { name: 'dapr-trust-bundle', namespace: 'dapr-system' }, data: { 'jwks.json': '{}' } },
};

describe('the values', () => {
  test('are the bundle, byte for byte, where the chart takes it', () => {
    const text = buildHelmValues(files, withKey);
    expect(parse(text)).toEqual({
      dapr_sentry: {
        tls: {
          root: { certPEM: files.anchors.toString() },
          issuer: { certPEM: files.issuerChain.toString(), keyPEM: files.issuerKey.toString() },
        },
      },
    });
    expect(text).toContain('certPEM: |\n');
  });

  test('of a parent chart stand below its name for Dapr', () => {
    const valuesPath = ['dapr', 'dapr_sentry', 'tls'];
    const values = parse(buildHelmValues(files, { ...withKey, valuesPath }));
    expect(values.dapr.dapr_sentry.tls.root.certPEM).toBe(files.anchors.toString());
  });

  test('hold no key unless asked for, and say where it is', () => {
    const text = buildHelmValues(files, { ...withKey, withIssuerKey: false });
    expect(text).not.toContain('PRIVATE KEY');
    expect(parse(text).dapr_sentry.tls.issuer).toEqual({ certPEM: files.issuerChain.toString() });
    expect(text).toContain(`# keyPEM is left out: ${keySource}.`);
  });

  test.each([
    ['CRLF', 'a\r\nb\r\n'],
    ['no end of line', 'a\nb'],
    ['spaces at the ends', ' a \n b \n'],
    ['a comment of YAML', '# a: b\n--- \n'],
    ['letters beyond ASCII', 'Ünïcode – 漢字\n'],
  ])('keep every byte of a file with %s', (_, text) => {
    const anchors = Buffer.from(text);
    const values = parse(buildHelmValues({ ...files, anchors }, withKey));
    expect(values.dapr_sentry.tls.root.certPEM).toBe(text);
  });
});

test('blank lines behind the anchors are left out: the chart would drop them from the ConfigMap alone', () => {
  const anchors = Buffer.from('a\n\n\n');
  const values = parse(buildHelmValues({ ...files, anchors }, withKey));
  expect(values.dapr_sentry.tls.root.certPEM).toBe('a\n');
});

describe('the manifests', () => {
  const [secret, configMap] = read(buildManifests(live, files, { names: bundleNames, withIssuerKey: true, keySource }));

  test('hold the bundle in both objects', () => {
    expect(Buffer.from(secret.data['issuer.key'], 'base64')).toEqual(files.issuerKey);
    expect(Buffer.from(secret.data['ca.crt'], 'base64')).toEqual(files.anchors);
    expect(configMap.data['ca.crt']).toBe(files.anchors.toString());
  });

  test('keep labels, annotations and other keys, and nothing that is of the moment or holds the old key', () => {
    expect(secret).toMatchObject({ apiVersion: 'v1', kind: 'Secret', type: 'Opaque' });
    expect(secret.metadata).toEqual({
      name: 'dapr-trust-bundle',
      namespace: 'dapr-system',
      labels: { app: 'dapr-sentry' },
      annotations: { 'meta.helm.sh/release-name': 'dapr' },
    });
    expect(secret.data['jwt.key']).toBe(secretData['jwt.key']);
    expect(configMap.data['jwks.json']).toBe('{}');
  });

  test('without keys: nothing that might be private, and it is said what is missing', () => {
    const text = buildManifests(live, files, { names: bundleNames, withIssuerKey: false, keySource });
    const [publicSecret] = read(text);
    expect(Object.keys(publicSecret.data).sort()).toEqual(['ca.crt', 'issuer.crt', 'jwks.json']);
    expect(text).toContain(`# Left out of data: jwt.key, issuer.key. The issuer key: ${keySource}.`);
    expect(text).not.toContain(files.issuerKey.toString('base64'));
  });

  test('of Dapr up to 1.11 are the Secret alone', () => {
    const options = { names: bundleNames, withIssuerKey: true, keySource };
    expect(read(buildManifests({ ...live, configMap: undefined }, files, options))).toHaveLength(1);
  });

  test('under the names that Sentry was given', () => {
    const names = { anchors: 'root.pem', issuerChain: 'chain.pem', issuerKey: 'chain.key' };
    const [named] = read(buildManifests(live, files, { names, withIssuerKey: false, keySource }));
    expect(Object.keys(named.data).sort()).toEqual(['chain.pem', 'jwks.json', 'root.pem']);
  });

  function read(text: string) {
    return parseAllDocuments(text).map((document) => document.toJS());
  }
});
