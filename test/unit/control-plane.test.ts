import { describe, expect, test } from 'vitest';
import { DaprMtlsError } from '../../src/errors.ts';
import { findFlag, findServiceVersion } from '../../src/kube/dapr/container.ts';
import { describeControlPlane, type Looked } from '../../src/kube/dapr/control-plane.ts';
import { imageTag, readImageVersion } from '../../src/kube/dapr/image.ts';
import type { Configuration, Container, Workload } from '../../src/kube/dapr/objects.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('the tag of an image', () => {
  test.each([
    ['ghcr.io/dapr/sentry:1.17.13', '1.17.13'],
    ['daprio/dapr:1.9.0-mariner', '1.9.0-mariner'],
    ['registry.example:5000/dapr/sentry:1.17.13', '1.17.13'],
    ['registry.example:5000/dapr/sentry', undefined],
    [`registry.example:5000/dapr/sentry:1.17.13@${digest}`, '1.17.13'],
    [`ghcr.io/dapr/sentry@${digest}`, undefined],
    ['sentry', undefined],
    ['sentry:edge', 'edge'],
  ])('of %s is %s', (image, tag) => {
    expect(imageTag(image)).toBe(tag);
  });
});

test.each([
  ['1.17.13', { major: 1, minor: 17, patch: 13 }, undefined],
  ['v1.17', { major: 1, minor: 17, patch: 0 }, undefined],
  ['1.9.0-mariner', { major: 1, minor: 9, patch: 0 }, 'mariner'],
  ['1.14.0-rc.2-mariner-linux-arm64', { major: 1, minor: 14, patch: 0 }, 'mariner'],
  ['1.14.0-rc.2', { major: 1, minor: 14, patch: 0 }, undefined],
  ['nightly-2026-11-20-mariner', undefined, 'mariner'],
  ['edge', undefined, undefined],
])('the version %s is read', (text, release, variant) => {
  expect(readImageVersion(text)).toEqual({ text, release, variant });
});

describe('the version of a service', () => {
  const version = (containers: Container[], labels?: Record<string, string>) =>
    findServiceVersion({ containers }, labels, 'dapr-sentry')?.text;

  test('is that of its own container, wherever it stands', () => {
    const proxy = { name: 'istio-proxy', image: 'docker.io/istio/proxyv2:1.24.1' };
    expect(version([proxy, { name: 'dapr-sentry', image: 'ghcr.io/dapr/sentry:1.17.13' }])).toBe('1.17.13');
  });

  test('is that of the label where the image is named by its digest', () => {
    const byDigest = { name: 'dapr-sentry', image: `ghcr.io/dapr/sentry@${digest}` };
    expect(version([byDigest], { 'app.kubernetes.io/version': '1.16.2' })).toBe('1.16.2');
    expect(version([byDigest])).toBeUndefined();
  });
});

describe('a flag', () => {
  test.each<[string, string[], string | undefined]>([
    ['as two words', ['--mode', 'kubernetes', '--trust-domain', 'example.org'], 'example.org'],
    ['with an equals sign', ['--trust-domain=example.org'], 'example.org'],
    ['with one dash', ['-trust-domain', 'example.org'], 'example.org'],
    ['empty', ['--trust-domain='], ''],
    ['twice', ['--trust-domain', 'first', '--trust-domain=last'], 'last'],
    ['behind a debugger', ['exec', '/sentry', '--', '--trust-domain', 'example.org'], 'example.org'],
    ['that only begins alike', ['--trust-domains', 'example.org'], undefined],
    ['without a value', ['--trust-domain'], undefined],
  ])('%s is read', (_, args, value) => {
    expect(findFlag({ name: 'dapr-sentry', args }, 'trust-domain')).toBe(value);
  });

  test('may stand in the command', () => {
    expect(findFlag({ name: 'dapr-sentry', command: ['/sentry', '--config', 'other'] }, 'config')).toBe('other');
  });
});

describe('a control plane', () => {
  const found = <T>(object: T): Looked<T> => ({ presence: 'present', object, refusal: undefined });
  const absent = { presence: 'absent', object: undefined, refusal: undefined } as const;
  const sentry = (args: string[], replicas?: number): Looked<Workload> =>
    found({
      metadata: { name: 'dapr-sentry', namespace: 'dapr-system' },
      spec: {
        ...(replicas === undefined ? {} : { replicas }),
        template: {
          spec: { containers: [{ name: 'dapr-sentry', image: 'ghcr.io/dapr/sentry:1.17.13-mariner', args }] },
        },
      },
    });
  const configuration = (mtls?: Record<string, unknown>): Looked<Configuration> =>
    found({ metadata: { name: 'daprsystem', namespace: 'dapr-system' }, spec: mtls ? { mtls } : {} });

  test('is what Sentry was told', () => {
    const args = ['--issuer-ca-filename', 'root.pem', '--issuer-key-filename=key.pem', '--config', 'own'];
    expect(describeControlPlane('dapr-system', sentry(args, 3), configuration({ enabled: false }))).toEqual({
      namespace: 'dapr-system',
      sentry: 'present',
      sentryReplicas: 3,
      version: '1.17.13-mariner',
      release: { major: 1, minor: 17, patch: 13 },
      imageVariant: 'mariner',
      fileNames: { anchors: 'root.pem', issuerChain: 'issuer.crt', issuerKey: 'key.pem' },
      trustDomain: 'cluster.local',
      configurationName: 'own',
      configuration: 'present',
      mtls: { enabled: false },
      unread: [],
    });
  });

  test.each<[string, string[], Record<string, unknown> | undefined, string]>([
    ['the flag', ['--trust-domain', 'of.flag'], { controlPlaneTrustDomain: 'of.configuration' }, 'of.flag'],
    ['the Configuration', [], { controlPlaneTrustDomain: 'of.configuration' }, 'of.configuration'],
    ['the default, where the Configuration is empty', [], { controlPlaneTrustDomain: '' }, 'cluster.local'],
    ['the default, where it has no mtls', [], undefined, 'cluster.local'],
  ])('has the trust domain of %s', (_, args, mtls, trustDomain) => {
    expect(describeControlPlane('dapr-system', sentry(args), configuration(mtls)).trustDomain).toBe(trustDomain);
  });

  test('has the defaults where nothing may be read, and says so', () => {
    const refusal = new DaprMtlsError('cluster.forbidden', { message: 'may not get deployments', hint: 'a Role' });
    const refused = { presence: 'unknown', object: undefined, refusal } as const;
    expect(describeControlPlane('dapr-system', refused, absent)).toMatchObject({
      sentry: 'unknown',
      sentryReplicas: undefined,
      version: undefined,
      fileNames: { anchors: 'ca.crt', issuerChain: 'issuer.crt', issuerKey: 'issuer.key' },
      configuration: 'absent',
      mtls: undefined,
      unread: ['may not get deployments'],
    });
  });
});
