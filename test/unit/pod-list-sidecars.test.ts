import { describe, expect, test } from 'vitest';
import { factsOfPod, type PodObject } from '../../src/kube/pods/pod-facts.ts';
import { toSidecarPod } from '../../src/kube/pods/sidecar-pod.ts';
import { workloadOf } from '../../src/kube/pods/workload.ts';

type Containers = NonNullable<NonNullable<PodObject['spec']>['containers']>;

const injected = { 'dapr.io/sidecar-injected': 'true', 'dapr.io/app-id': 'by-label' };
const anchors = { name: 'DAPR_TRUST_ANCHORS', value: 'PEM' };
const app = { name: 'app', image: 'registry.example:5000/shop/checkout:7' };

function sidecarOf(labels: Record<string, string>, containers: Containers, initContainers: Containers = []) {
  return toSidecarPod(factsOfPod({ metadata: { name: 'checkout', labels }, spec: { containers, initContainers } }));
}

describe('a pod has a sidecar', () => {
  test.each([
    ['labelled, with a container daprd', injected, [app, { name: 'daprd', env: [anchors] }], 'daprd'],
    ['of an older injector, without a label', {}, [app, { name: 'daprd', env: [anchors] }], 'daprd'],
    ['a daprd without anchors', {}, [app, { name: 'daprd' }], 'daprd'],
    ['a container of another name that has the variable', {}, [app, { name: 'sidecar', env: [anchors] }], 'sidecar'],
    ['an application that has the variable, too', {}, [{ ...app, env: [anchors] }, { name: 'daprd' }], 'daprd'],
    ['labelled, without such a container', injected, [app], undefined],
  ])('%s', (_, labels, containers, container) => {
    expect(sidecarOf(labels, containers)).toMatchObject({ injected: labels === injected });
    expect(sidecarOf(labels, containers)?.daprd?.container).toBe(container);
  });

  test.each([
    ['neither label, name nor variable', {}],
    ['a label that says no', { 'dapr.io/sidecar-injected': 'false' }],
  ])('not: %s', (_, labels) => {
    expect(sidecarOf(labels as Record<string, string>, [app])).toBeUndefined();
  });

  test('as a native one, among the init containers', () => {
    const { daprd } = sidecarOf(injected, [app], [{ name: 'daprd', env: [anchors] }]) ?? {};
    expect(daprd).toMatchObject({ native: true, trustAnchors: { source: 'value', pem: 'PEM' } });
  });
});

describe('its anchors', () => {
  test.each([
    ['a value', [anchors], { source: 'value', pem: 'PEM' }],
    ['an empty value', [{ name: 'DAPR_TRUST_ANCHORS' }], { source: 'value', pem: '' }],
    ['the last of two', [anchors, { ...anchors, value: 'LAST' }], { source: 'value', pem: 'LAST' }],
    ['a reference', [{ name: 'DAPR_TRUST_ANCHORS', valueFrom: {} }], { source: 'reference' }],
    ['none', [{ name: 'DAPR_TRUST_ANCHORS_FILE', value: 'PEM' }], undefined],
  ])('%s', (_, env, expected) => {
    expect(sidecarOf(injected, [{ name: 'daprd', env }])?.daprd?.trustAnchors).toEqual(expected);
  });
});

test.each([
  [['--app-id', 'checkout'], 'checkout'],
  [['--mode', 'kubernetes', '--app-id=checkout'], 'checkout'],
  [['-app-id', 'checkout'], 'checkout'],
  [['--app-port', '80'], 'by-label'],
])('the app id in %j is %s', (args, appId) => {
  expect(sidecarOf(injected, [{ name: 'daprd', args }])?.appId).toBe(appId);
});

test.each([
  ['ghcr.io/dapr/daprd:1.17.13', '1.17.13'],
  ['registry.example:5000/daprd', undefined],
  ['daprd:1.9.0-mariner@sha256:0123', '1.9.0-mariner'],
])('the version in %s is %s', (image, version) => {
  expect(sidecarOf(injected, [{ name: 'daprd', image }])?.daprd?.version).toBe(version);
});

describe('the workload', () => {
  const hash = { 'pod-template-hash': '6d8c4db785' };
  const owner = (kind: string, name: string, controller = true) => ({ kind, name, uid: 'u', controller });
  test.each([
    ['of a ReplicaSet of a Deployment', hash, [owner('ReplicaSet', 'checkout-6d8c4db785')], 'Deployment/checkout'],
    [
      'of a ReplicaSet of an Argo Rollout',
      { 'rollouts-pod-template-hash': '5f' },
      [owner('ReplicaSet', 'checkout-5f')],
      'Rollout/checkout',
    ],
    ['of a ReplicaSet that stands alone', {}, [owner('ReplicaSet', 'checkout')], 'ReplicaSet/checkout'],
    ['of a ReplicaSet of another hash', hash, [owner('ReplicaSet', 'checkout-77')], 'ReplicaSet/checkout-77'],
    ['of a StatefulSet', {}, [owner('StatefulSet', 'orders')], 'StatefulSet/orders'],
    ['of a Job', {}, [owner('Job', 'report-29')], 'Job/report-29'],
    ['of nothing', hash, [], 'Pod/checkout-1'],
    ['of an owner that does not control it', {}, [owner('Workflow', 'flow', false)], 'Pod/checkout-1'],
  ])('%s', (_, labels, owners, expected) => {
    const { kind, name } = workloadOf({ name: 'checkout-1', labels, owners });
    expect(`${kind}/${name}`).toBe(expected);
  });
});
