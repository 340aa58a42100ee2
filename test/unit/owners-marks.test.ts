import { describe, expect, test } from 'vitest';
import { digest } from '../../src/kube/owners/digest.ts';
import type { OwnerClaim } from '../../src/kube/owners/facts.ts';
import { describeMarks } from '../../src/kube/owners/marked-object.ts';
import { findClaims, findHelmTrace } from '../../src/kube/owners/marks.ts';
import type { ManagedFields, ObjectMeta } from '../../src/kube/port.ts';

const claimsOf = (metadata: Partial<ObjectMeta>, kind: 'Secret' | 'ConfigMap' = 'Secret') =>
  findClaims(describeMarks(kind, { metadata: { name: 'dapr-trust-bundle', namespace: 'dapr-system', ...metadata } }));

const writer = (manager: string, operation: 'Apply' | 'Update', ...keys: string[]): ManagedFields => ({
  manager,
  operation,
  fieldsV1: {
    'f:metadata': { 'f:labels': { 'f:app': {} } },
    ...(keys.length > 0 ? { 'f:data': { '.': {}, ...Object.fromEntries(keys.map((key) => [`f:${key}`, {}])) } } : {}),
  },
});
const sentry = writer('sentry', 'Update', 'ca.crt', 'issuer.crt', 'issuer.key');
const ours = writer('dapr-mtls', 'Update', 'ca.crt');
const lastApplied = (object: object) => ({
  'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(object),
});
const encode = (text: string) => Buffer.from(text).toString('base64');

describe('nobody else', () => {
  test.each<[string, Partial<ObjectMeta>]>([
    ['a bundle that Sentry made', { managedFields: [writer('helm', 'Update'), sentry] }],
    ['one that we wrote', { managedFields: [writer('helm', 'Update'), ours] }],
    ['one that was edited by hand', { managedFields: [writer('kubectl-edit', 'Update', 'ca.crt')] }],
    ['a label that many set', { labels: { 'app.kubernetes.io/instance': 'dapr' }, managedFields: [sentry] }],
    ['a label applied by somebody, without data', { managedFields: [writer('labeller', 'Apply'), sentry] }],
    ['our own apply', { managedFields: [writer('dapr-mtls', 'Apply', 'ca.crt')] }],
    ["Helm's release, which its record tells", { managedFields: [writer('helm', 'Apply', 'ca.crt')] }],
    [
      'an owner that is no controller',
      { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: '1', controller: false }] },
    ],
    [
      'the tracking mark of another object, copied with it',
      { annotations: { 'argocd.argoproj.io/tracking-id': 'shop:/Secret:dapr-system/other' }, managedFields: [sentry] },
    ],
  ])('%s', (_, metadata) => {
    expect(claimsOf(metadata)).toEqual([]);
  });
});

const claim = (owner: string, kind: string, name: string | undefined, declares: OwnerClaim['declares']) => [
  { owner, kind, name, object: 'Secret', declares },
];

describe('Flux', () => {
  const labels = {
    'kustomize.toolkit.fluxcd.io/name': 'infra',
    'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
  };
  const controller = writer('kustomize-controller', 'Apply', 'ca.crt', 'issuer.crt');

  test('a Kustomization that applies the data', () => {
    expect(claimsOf({ labels, managedFields: [controller, sentry] })).toEqual(
      claim('flux', 'Kustomization', 'flux-system/infra', { kind: 'keys', keys: ['ca.crt', 'issuer.crt'] }),
    );
  });

  test('one that applies the object alone', () => {
    const managedFields = [writer('kustomize-controller', 'Apply'), sentry];
    expect(claimsOf({ labels, managedFields })[0]?.declares).toEqual({ kind: 'nothing' });
  });

  test('one whose traces we have covered', () => {
    const managedFields = [writer('kustomize-controller', 'Apply'), ours];
    expect(claimsOf({ labels, managedFields })[0]?.declares).toEqual({ kind: 'unknown' });
  });

  test.each([
    { annotations: { 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' } },
    { annotations: { 'kustomize.toolkit.fluxcd.io/ssa': 'Ignore' } },
    { annotations: { 'kustomize.toolkit.fluxcd.io/ssa': 'IfNotPresent' } },
    { labels: { ...labels, 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' } },
  ])('one that was told to pass over it: $annotations', (marks) => {
    expect(claimsOf({ labels, managedFields: [controller], ...marks })[0]?.declares).toEqual({ kind: 'nothing' });
  });

  test('a HelmRelease is judged by its release', () => {
    const helm = { 'helm.toolkit.fluxcd.io/name': 'dapr', 'helm.toolkit.fluxcd.io/namespace': 'dapr-system' };
    const expected = claim('flux', 'HelmRelease', 'dapr-system/dapr', { kind: 'release' });
    expect(claimsOf({ labels: helm, managedFields: [writer('helm-controller', 'Apply', 'ca.crt')] })).toEqual(expected);
  });
});

describe('Argo CD', () => {
  const annotations = { 'argocd.argoproj.io/tracking-id': 'control_plane:/Secret:dapr-system/dapr-trust-bundle' };

  test('server-side: the keys of its manager', () => {
    const managedFields = [writer('argocd-controller', 'Apply', 'ca.crt'), sentry];
    expect(claimsOf({ annotations, managedFields })).toEqual(
      claim('argocd', 'Application', 'control_plane', { kind: 'keys', keys: ['ca.crt'] }),
    );
  });

  test('client-side: what it applied last', () => {
    const applied = lastApplied({ data: { 'ca.crt': encode('root') } });
    const managedFields = [writer('argocd-controller', 'Update', 'ca.crt')];
    expect(claimsOf({ annotations: { ...annotations, ...applied }, managedFields })).toEqual(
      claim('argocd', 'Application', 'control_plane', { kind: 'values', data: { 'ca.crt': digest('root') } }),
    );
  });

  test('client-side without data: it leaves the data alone, also after we have written them', () => {
    const marks = { ...annotations, ...lastApplied({ metadata: { name: 'dapr-trust-bundle' } }) };
    const managedFields = [writer('argocd-controller', 'Update'), ours];
    expect(claimsOf({ annotations: marks, managedFields })[0]?.declares).toEqual({ kind: 'nothing' });
  });

  test('by label, of which it needs to have written the object where others set it too', () => {
    const managedFields = [writer('argocd-controller', 'Apply', 'ca.crt')];
    expect(claimsOf({ labels: { 'app.kubernetes.io/instance': 'shop' }, managedFields })[0]?.name).toBe('shop');
    expect(claimsOf({ labels: { 'argocd.argoproj.io/instance': 'shop' } })[0]?.name).toBe('shop');
  });

  test('on a ConfigMap the values are text', () => {
    const marks = {
      'argocd.argoproj.io/tracking-id': 'a:/ConfigMap:dapr-system/dapr-trust-bundle',
      ...lastApplied({ data: { 'ca.crt': 'root' } }),
    };
    expect(claimsOf({ annotations: marks, managedFields: [ours] }, 'ConfigMap')[0]?.declares).toEqual({
      kind: 'values',
      data: { 'ca.crt': digest('root') },
    });
  });
});

test('cert-manager: the Secret of a Certificate, by annotation or by who wrote the data', () => {
  const annotations = { 'cert-manager.io/certificate-name': 'dapr-issuer' };
  expect(claimsOf({ annotations, managedFields: [ours] })).toEqual(
    claim('cert-manager', 'Certificate', 'dapr-issuer', { kind: 'everything' }),
  );
  const managedFields = [writer('cert-manager-certificates-issuing', 'Apply', 'ca.crt')];
  expect(claimsOf({ managedFields })).toEqual(claim('cert-manager', 'Certificate', undefined, { kind: 'everything' }));
});

test('trust-manager: a Bundle', () => {
  expect(claimsOf({ labels: { 'trust.cert-manager.io/bundle': 'roots' } })).toEqual(
    claim('cert-manager', 'Bundle', 'roots', { kind: 'everything' }),
  );
});

describe('External Secrets, by any of its marks', () => {
  const owner = {
    apiVersion: 'external-secrets.io/v1',
    kind: 'ExternalSecret',
    name: 'bundle',
    uid: '1',
    controller: true,
  };
  test.each<[string, Partial<ObjectMeta>, string | undefined]>([
    ['the owner', { ownerReferences: [owner] }, 'bundle'],
    ['a label', { labels: { 'reconcile.external-secrets.io/managed': 'true' } }, undefined],
    ['the label of older ones', { labels: { 'reconcile.external-secrets.io/created-by': '1f' } }, undefined],
    [
      'the manager',
      { managedFields: [writer('externalsecrets.external-secrets.io/bundle', 'Update', 'ca.crt')] },
      'bundle',
    ],
  ])('%s', (_, metadata, name) => {
    expect(claimsOf(metadata)).toEqual(claim('external-secrets', 'ExternalSecret', name, { kind: 'everything' }));
  });
});

test('any other controller, by its kind', () => {
  const owner = {
    apiVersion: 'bitnami.com/v1alpha1',
    kind: 'SealedSecret',
    name: 'bundle',
    uid: '1',
    controller: true,
  };
  expect(claimsOf({ ownerReferences: [owner] })).toEqual(
    claim('sealedsecret', 'SealedSecret', 'bundle', { kind: 'everything' }),
  );
});

test('anybody who applies the data server-side, by the name of the manager', () => {
  expect(claimsOf({ managedFields: [writer('Terraform', 'Apply', 'ca.crt'), sentry] })).toEqual(
    claim('terraform', 'server-side apply', undefined, { kind: 'keys', keys: ['ca.crt'] }),
  );
});

describe('kubectl apply', () => {
  test('of a file with data', () => {
    const annotations = lastApplied({ data: { 'ca.crt': encode('root') } });
    expect(claimsOf({ annotations, managedFields: [sentry] })).toEqual(
      claim('kubectl', 'kubectl apply', undefined, { kind: 'values', data: { 'ca.crt': digest('root') } }),
    );
  });

  test.each(['{}', '{"data":null}', 'none', '[]'])('of %s says nothing', (text) => {
    expect(claimsOf({ annotations: { 'kubectl.kubernetes.io/last-applied-configuration': text } })).toEqual([]);
  });
});

describe('the trace of Helm, for who may not read its record', () => {
  const traceOf = (metadata: Partial<ObjectMeta>) =>
    findHelmTrace(describeMarks('Secret', { metadata: { name: 'dapr-trust-bundle', ...metadata } }));

  test('the keys it was the last to write', () => {
    const annotations = { 'meta.helm.sh/release-name': 'dapr' };
    expect(traceOf({ annotations, managedFields: [writer('helm', 'Update', 'ca.crt')] })).toMatchObject({
      owner: 'helm',
      name: 'dapr',
      declares: { kind: 'keys', keys: ['ca.crt'] },
    });
  });

  test('is none where it has installed the object alone', () => {
    expect(traceOf({ managedFields: [writer('helm', 'Update'), sentry] })).toBeUndefined();
  });

  test("is Flux's where Flux runs Helm", () => {
    const labels = { 'helm.toolkit.fluxcd.io/name': 'dapr' };
    expect(traceOf({ labels, managedFields: [writer('helm-controller', 'Apply', 'ca.crt')] })?.owner).toBe('flux');
  });
});
