import { beforeAll, describe, expect, test } from 'vitest';
import type { ProbeFacts } from '../../src/app/probe/facts.ts';
import { exitCodeOfProbe, judgeProbe } from '../../src/app/probe/probe.ts';
import type { CheckName } from '../../src/app/probe/report.ts';
import { DaprMtlsError } from '../../src/errors.ts';
import type { Webhook } from '../../src/kube/admission/webhook.ts';
import type { Looked } from '../../src/kube/dapr/control-plane.ts';
import type { Daprd } from '../../src/kube/pods/sidecar-pod.ts';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { encodeBundle } from '../../src/pki/encode.ts';
import { decodeAsGo } from '../../src/pki/pem.ts';
import { dayMs, makeBundle, renew } from '../support/bundles.ts';
import { fixtureInstant } from '../support/fixtures.ts';
import { alternativeName, basicConstraints, type Forgery, keyUsage } from '../support/forged-certificate.ts';
import { schemaViolations } from '../support/schema.ts';
import { identityOf, sentryId } from '../support/sentry-server.ts';

let live: BundleFiles;
let former: BundleFiles;
/** `live`, renewed by a bridge. */
let bridged: BundleFiles;

beforeAll(async () => {
  former = (await makeBundle()).files;
  live = (await makeBundle()).files;
  bridged = encodeBundle((await renew(live)).bundle);
});

const sidecar = (anchors: Buffer | string): Daprd => ({
  container: 'daprd',
  native: false,
  image: 'ghcr.io/dapr/daprd:1.17.13',
  version: '1.17.13',
  trustAnchors: { source: 'value', pem: anchors.toString() },
});
const made = (daprd: Daprd | undefined, counts = true): ProbeFacts['rehearsal'] => ({
  outcome: { kind: 'made', daprd },
  counts,
});
const refused = (code: 'cluster.forbidden' | 'cluster.rejected', message: string): ProbeFacts['rehearsal'] => ({
  outcome: { kind: 'refused', error: new DaprMtlsError(code, { message, hint: 'the mend' }) },
  counts: false,
});
const webhook = (caBundle: Buffer, rest: Partial<Webhook> = {}): Looked<Webhook> => ({
  presence: 'present',
  object: { caBundle, failurePolicy: 'Ignore', isSelective: false, ...rest },
  refusal: undefined,
});
const none: Looked<never> = { presence: 'absent', object: undefined, refusal: undefined };
const bundleOf = ({ anchors, issuerChain }: BundleFiles): ProbeFacts['bundle'] => ({
  secretAnchors: anchors,
  issuerChain,
  configMapAnchors: anchors,
  unread: [],
});
/** What a user sees who may read the ConfigMap alone. */
const withoutSecret = (): ProbeFacts['bundle'] => ({
  ...bundleOf(live),
  secretAnchors: undefined,
  issuerChain: undefined,
  unread: ['this user may not get secrets'],
});
const sentryOf = (
  files: BundleFiles,
  wishes: { id?: string; oddity?: Partial<Forgery> } = {},
): ProbeFacts['handshake'] => {
  const { leaf } = identityOf(files, { at: fixtureInstant, ...wishes });
  return {
    kind: 'answered',
    address: 'sentry:50001',
    chain: [leaf, ...decodeAsGo(files.issuerChain).map(({ der }) => der)],
  };
};
const outOfReach: ProbeFacts['handshake'] = {
  kind: 'unreachable',
  address: 'dapr-sentry.dapr-system.svc.cluster.local:443',
  isNamed: false,
  code: 'ENOTFOUND',
  reason: 'getaddrinfo ENOTFOUND',
};

function factsOf(wishes: Partial<ProbeFacts> = {}): ProbeFacts {
  return {
    cluster: { context: 'prod', server: 'https://127.0.0.1:6443', namespace: 'dapr-system' },
    namespace: 'shop',
    sentryId,
    hasConfigMap: true,
    mtlsEnabled: true,
    bundle: bundleOf(live),
    injector: { webhook: webhook(live.anchors), readyReplicas: 1 },
    rehearsal: made(sidecar(live.anchors)),
    handshake: sentryOf(live),
    ...wishes,
  };
}

function probe(wishes: Partial<ProbeFacts> = {}, at = fixtureInstant) {
  const report = judgeProbe(factsOf(wishes), at);
  expect(schemaViolations(report)).toEqual([]);
  const states = Object.fromEntries(report.checks.map(({ name, state }) => [name, state]));
  const check = (name: CheckName) => report.checks.find((one) => one.name === name);
  return { report, states, check };
}

describe('the next pod works', () => {
  test('where everything fits', () => {
    const { report, states } = probe();
    expect(states).toEqual({ injection: 'ok', anchors: 'ok', webhook: 'ok', sentry: 'ok', bundle: 'ok' });
    expect(report.sentence).toBe(
      'The next pod in shop will get working trust: what its sidecar is given verifies the issuer in use, and the running Sentry verifies under it.',
    );
    expect(report.anchors).toHaveLength(1);
    expect(exitCodeOfProbe(report, 'warning')).toBe(0);
  });

  test('also where Sentry cannot be reached, which is said', () => {
    const { report, states, check } = probe({ handshake: outOfReach });
    expect([report.verdict, states.sentry]).toEqual(['works', 'not-checked']);
    expect(report.sentence).toContain('the running Sentry was not checked');
    expect(check('sentry')?.hint).toContain('--sentry-address localhost:50001');
    expect(exitCodeOfProbe(report, 'warning')).toBe(0);
  });

  test('with the old anchors under a bridge, which is a warning', () => {
    const { report, states } = probe({
      bundle: bundleOf(bridged),
      injector: { webhook: webhook(bridged.anchors), readyReplicas: 1 },
      handshake: sentryOf(bridged),
    });
    expect([report.verdict, states.anchors, states.sentry]).toEqual(['works', 'warning', 'ok']);
    expect(exitCodeOfProbe(report, 'warning')).toBe(10);
    expect(exitCodeOfProbe(report, 'error')).toBe(0);
    expect(exitCodeOfProbe(report, 'never')).toBe(0);
  });

  test('with a caBundle that will not hold, which is a warning', () => {
    const { report, states, check } = probe({ injector: { webhook: webhook(former.anchors), readyReplicas: 1 } });
    expect([report.verdict, states.webhook]).toEqual(['works', 'warning']);
    expect(report.sentence).toMatch(/\. But the webhook's caBundle is not the anchors of the bundle/);
    expect(check('webhook')?.hint).toContain('dapr-mtls restart -k');
  });

  test('while Secret and ConfigMap differ, which is a warning', () => {
    const both = `${live.anchors}${former.anchors}`;
    const { report, states, check } = probe({ bundle: { ...bundleOf(live), configMapAnchors: Buffer.from(both) } });
    expect([report.verdict, states.bundle]).toEqual(['works', 'warning']);
    expect(check('bundle')).toMatchObject({
      reason: expect.stringMatching(/makes a new root/),
      hint: expect.stringMatching(/repair -k/),
    });
  });

  test.each([
    ['Secret', { secretAnchors: undefined }, 'backup'],
    ['ConfigMap', { configMapAnchors: undefined }, 'secret'],
    ['Secret', { secretAnchors: undefined, configMapAnchors: undefined }, 'backup'],
  ])('while the %s is empty, which is a warning, and is mended by what is whole', (object, hidden, from) => {
    const { check } = probe({ bundle: { ...bundleOf(live), ...hidden } });
    expect(check('bundle')).toMatchObject({
      state: 'warning',
      reason: expect.stringContaining(`no anchors in the ${object}`),
      hint: expect.stringMatching(new RegExp(`repair -k --from ${from}\`\\.$`)),
    });
  });

  test.each([
    ['the Secret', { secretAnchors: undefined, issuerChain: undefined }],
    ['the ConfigMap', { configMapAnchors: undefined }],
  ])('by what is left where %s may not be read', (_, hidden) => {
    const { report, states } = probe({
      bundle: { ...bundleOf(live), ...hidden, unread: ['this user may not get it'] },
    });
    expect([report.verdict, states.bundle, states.anchors]).toEqual(['works', 'not-checked', 'ok']);
  });

  test('by the running Sentry alone, where the issuer may not be read, which is said', () => {
    const { report } = probe({ bundle: withoutSecret() });
    expect(report.sentence).toBe(
      'The next pod in shop will get working trust: what its sidecar is given verifies the running Sentry; the issuer of the bundle is not known.',
    );
    expect(exitCodeOfProbe(report, 'warning')).toBe(0);
  });
});

describe('while Secret and ConfigMap differ nobody is told to restart', () => {
  const differing = () => ({ ...bundleOf(live), secretAnchors: former.anchors });

  test.each<[string, CheckName, () => Partial<ProbeFacts>]>([
    [
      'for the sake of a caBundle',
      'webhook',
      () => ({ injector: { webhook: webhook(former.anchors), readyReplicas: 1 } }),
    ],
    [
      'for the sake of a caBundle that nobody can judge',
      'webhook',
      () => ({
        rehearsal: made(undefined, false),
        injector: { webhook: webhook(former.anchors), readyReplicas: 1 },
        bundle: { ...differing(), issuerChain: undefined },
      }),
    ],
    [
      'an injector that is not ready',
      'injection',
      () => ({ rehearsal: made(undefined), injector: { webhook: webhook(live.anchors), readyReplicas: 0 } }),
    ],
    [
      'an injector that refuses',
      'injection',
      () => ({ rehearsal: refused('cluster.rejected', 'failed calling webhook "sidecar-injector.dapr.io"') }),
    ],
    [
      'an injector that gives no anchors',
      'anchors',
      () => ({ rehearsal: made({ ...sidecar(''), trustAnchors: undefined }) }),
    ],
    ['a Sentry of another bundle', 'sentry', () => ({ handshake: sentryOf(former) })],
  ])('%s', (_, name, wishes) => {
    const { report, check } = probe({ bundle: differing(), ...wishes() });
    expect(check(name)?.hint).toMatch(/Restart nothing\. Make Secret and ConfigMap one bundle/);
    expect(report.checks.filter(({ hint }) => hint?.includes('restart -k'))).toEqual([]);
  });
});

describe('the next pod does not work', () => {
  test.each([
    ['no webhook', { webhook: none, readyReplicas: 1 }, /there is no webhook configuration/, /upgrade/],
    [
      'no injector ready',
      { webhook: webhook(Buffer.alloc(0)), readyReplicas: 0 },
      /no replica of the injector is ready/,
      /restart -k/,
    ],
    [
      'no answer',
      { webhook: webhook(Buffer.alloc(0)), readyReplicas: undefined },
      /does not answer the API server/,
      /restart -k/,
    ],
    [
      'not asked',
      { webhook: webhook(Buffer.alloc(0), { isSelective: true }), readyReplicas: 1 },
      /some namespaces or pods only/,
      /kubectl get/,
    ],
  ] as const)('without a sidecar: %s', (_, injector, reason, hint) => {
    const { report, states, check } = probe({ rehearsal: made(undefined), injector });
    expect([report.verdict, states.injection, states.anchors]).toEqual(['broken', 'failed', 'not-checked']);
    expect(check('injection')).toMatchObject({
      reason: expect.stringMatching(reason),
      hint: expect.stringMatching(hint),
    });
    expect(report.sentence).toMatch(
      /^The next pod in shop will not get working trust: a new pod in shop is made without a sidecar, and nobody is told/,
    );
    expect(exitCodeOfProbe(report, 'error')).toBe(10);
  });

  test('where the webhook refuses it', () => {
    const message = 'failed calling webhook "sidecar-injector.dapr.io": connection refused';
    const { states, check } = probe({ rehearsal: refused('cluster.rejected', message) });
    expect([states.injection, check('injection')?.reason]).toEqual([
      'failed',
      `no pod with a sidecar can be made: ${message}`,
    ]);
  });

  test('with anchors of a former bundle', () => {
    const { report, check } = probe({ rehearsal: made(sidecar(former.anchors)) });
    expect(report.verdict).toBe('broken');
    expect(check('anchors')).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/verifies none of its peers/),
      hint: expect.stringMatching(/restart -k/),
    });
    expect(check('sentry')).toMatchObject({ state: 'failed' });
    expect(report.sentence).toContain('what the sidecar is given verifies none of its peers');
  });

  test('with the anchors of a ConfigMap that the Secret does not follow', () => {
    const bundle = { ...bundleOf(live), configMapAnchors: former.anchors };
    const { check } = probe({ rehearsal: made(sidecar(former.anchors)), bundle });
    expect(check('anchors')).toMatchObject({ state: 'failed', hint: expect.stringMatching(/repair -k/) });
  });

  test('with anchors of a former bundle, while the Secret is empty: a restart would not help', () => {
    const bundle = { ...bundleOf(live), secretAnchors: undefined };
    const { check } = probe({ rehearsal: made(sidecar(former.anchors)), bundle });
    expect(check('anchors')).toMatchObject({ state: 'failed', hint: expect.stringMatching(/repair -k --from backup/) });
  });

  test.each([
    ['none', { ...sidecar(''), trustAnchors: undefined }, /gets no DAPR_TRUST_ANCHORS/],
    ['rubbish', sidecar('rubbish'), /holds no readable certificate/],
  ])('with %s for anchors', (_, daprd, reason) => {
    expect(probe({ rehearsal: made(daprd) }).check('anchors')).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(reason),
    });
  });

  test('once the bundle has ended', () => {
    const { report, states, check } = probe({}, new Date(fixtureInstant.getTime() + 400 * dayMs));
    expect(check('anchors')?.hint).toContain('dapr-mtls check -k');
    expect([report.verdict, states.anchors, states.sentry]).toEqual(['broken', 'failed', 'failed']);
  });

  test.each([
    ['of another bundle', () => sentryOf(former), /signed by unknown authority|does not verify/],
    [
      'of another trust domain',
      () => sentryOf(live, { id: 'spiffe://other/ns/dapr-system/dapr-sentry' }),
      /it is of spiffe:\/\/other/,
    ],
    [
      'of no identity',
      () => sentryOf(live, { oddity: { extensions: [keyUsage('digitalSignature')] } }),
      /it is of no SPIFFE ID/,
    ],
    [
      'of the past',
      () => sentryOf(live, { oddity: { notAfter: new Date(fixtureInstant.getTime() - 1000) } }),
      /expired at/,
    ],
  ])('with a Sentry %s', (_, handshake, reason) => {
    const { report, check } = probe({ handshake: handshake() });
    expect(check('sentry')).toMatchObject({ state: 'failed', reason: expect.stringMatching(reason) });
    expect(report.verdict).toBe('broken');
  });

  test.each([
    ['basicConstraints', [basicConstraints(true), keyUsage('digitalSignature')]],
    ['keyUsage', [keyUsage('digitalSignature', 'keyCertSign')]],
  ])('with a Sentry that shows the certificate of an authority, by its %s', (_, extensions) => {
    const oddity = { extensions: [...extensions, alternativeName('uri', sentryId, true)] };
    const { check } = probe({ handshake: sentryOf(live, { oddity }) });
    expect(check('sentry')).toMatchObject({ state: 'failed', reason: expect.stringMatching(/that of an authority/) });
  });

  test.each([
    [{ isNamed: true, code: 'TIMEOUT' }, 'failed'],
    [{ isNamed: false, code: 'ECONNREFUSED' }, 'failed'],
    [{ isNamed: false, code: 'TIMEOUT' }, 'not-checked'],
  ])('with a Sentry that does not answer: %j', (how, state) => {
    expect(probe({ handshake: { ...outOfReach, ...how } as ProbeFacts['handshake'] }).states.sentry).toBe(state);
  });
});

describe('nobody knows', () => {
  test.each([
    ['the user may make no pods', refused('cluster.forbidden', 'this user may not create pods'), /may not create pods/],
    ['the injector does not serve the user', made(undefined, false), /controllers and of system:masters only/],
  ])('where %s', (_, rehearsal, reason) => {
    const { report, states } = probe({ rehearsal });
    expect([report.verdict, states.injection]).toEqual(['unknown', 'not-checked']);
    expect(report.sentence).toMatch(/^Whether the next pod in shop will get working trust is not known: /);
    expect(report.sentence).toMatch(reason);
    expect([exitCodeOfProbe(report, 'warning'), exitCodeOfProbe(report, 'error')]).toEqual([10, 0]);
  });

  test('where neither the issuer nor Sentry is there to hold the anchors against', () => {
    const { report, states } = probe({ bundle: withoutSecret(), handshake: outOfReach });
    expect([report.verdict, states.anchors, states.sentry]).toEqual(['unknown', 'ok', 'not-checked']);
    expect(report.sentence).toBe(
      'Whether the next pod in shop will get working trust is not known: what its sidecar is given could be held against the anchors of the bundle only; the issuer in use is not known, and the running Sentry was not checked.',
    );
    expect([exitCodeOfProbe(report, 'warning'), exitCodeOfProbe(report, 'error')]).toEqual([10, 0]);
  });

  test('of a webhook with another caBundle, where the issuer may not be read', () => {
    const { states } = probe({
      rehearsal: made(undefined, false),
      injector: { webhook: webhook(former.anchors), readyReplicas: 1 },
      bundle: { ...bundleOf(live), secretAnchors: undefined, issuerChain: undefined, unread: ['forbidden'] },
    });
    expect(states.webhook).toBe('not-checked');
  });

  test('but a webhook that the API server does not trust is enough to say no', () => {
    const { report, states } = probe({
      rehearsal: made(undefined, false),
      injector: { webhook: webhook(former.anchors), readyReplicas: 1 },
    });
    expect([report.verdict, states.webhook]).toEqual(['broken', 'failed']);
  });
});

test('Dapr up to 1.11 has no ConfigMap, and a webhook with an authority of its own', () => {
  const { report, states } = probe({
    hasConfigMap: false,
    bundle: { ...bundleOf(live), configMapAnchors: undefined },
    injector: { webhook: webhook(former.anchors), readyReplicas: 1 },
  });
  expect(report.verdict).toBe('works');
  expect([states.webhook, states.bundle]).toEqual(['not-checked', 'not-checked']);
});

test('up to Dapr 1.11 an ended bundle is no fault of the injector, which hands out the Secret', () => {
  const hint = (configMapAnchors: Buffer | undefined) =>
    probe(
      { hasConfigMap: false, bundle: { ...bundleOf(live), configMapAnchors } },
      new Date(fixtureInstant.getTime() + 400 * dayMs),
    ).check('anchors')?.hint;
  expect(hint(undefined)).toContain('dapr-mtls check -k');
  expect(hint(former.anchors)).toContain('dapr-mtls check -k');
});
