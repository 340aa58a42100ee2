import { describe, expect, test } from 'vitest';
import { judgeOwners } from '../../src/app/owners/judge.ts';
import { planData } from '../../src/app/owners/planned-data.ts';
import { whyOwned } from '../../src/app/owners/refusal.ts';
import type { OwnerVerdict } from '../../src/app/owners/verdict.ts';
import { digest } from '../../src/kube/owners/digest.ts';
import type { Declaration, HelmRelease, HelmRevision, OwnerClaim, OwnerFacts } from '../../src/kube/owners/facts.ts';
import { ownerRemarks, undoneRemark } from '../../src/render/owners.ts';
import { bundleNames } from '../support/bundles.ts';

const bundleOf = (name: string) => ({
  anchors: Buffer.from(`${name} root`),
  issuerChain: Buffer.from(`${name} issuer`),
  issuerKey: Buffer.from(`${name} key`),
});
const [old, next] = [bundleOf('old'), bundleOf('new')];
const planned = planData(next, bundleNames);
const live = planData(old, bundleNames);
const issuerOnly = planData({ issuerChain: next.issuerChain, issuerKey: next.issuerKey }, bundleNames);

const noValues = { root: false, issuerCertificate: false, issuerKey: false };
const allValues = { root: true, issuerCertificate: true, issuerKey: true };
const silent: HelmRevision = {
  revision: 1,
  status: 'deployed',
  values: noValues,
  rendered: { Secret: {}, ConfigMap: {} },
};
const storing: HelmRevision = { revision: 2, status: 'deployed', values: allValues, rendered: live };

const releaseOf = (revisions: HelmRelease['revisions'], wishes: Partial<HelmRelease> = {}): OwnerFacts => ({
  live,
  helm: {
    state: 'found',
    release: {
      name: 'dapr',
      namespace: 'dapr-system',
      chart: { name: 'dapr', version: '1.17.13' },
      applyMethod: 'client-side',
      valuesPath: ['dapr_sentry', 'tls'],
      revisions,
      ...wishes,
    },
  },
  claims: [],
});

const claimed = (owner: string, declares: Declaration, more: Partial<OwnerClaim> = {}): OwnerFacts => ({
  live,
  helm: { state: 'none' },
  claims: [{ owner, kind: 'Thing', name: 'x', object: 'Secret', declares, ...more }],
});

const told = (facts: OwnerFacts, change = planned) =>
  judgeOwners(facts, change).map(({ owner, effect, stops }) => [owner, effect, stops]);

describe('a Helm release (kube-facts, section 3)', () => {
  test.each<[string, OwnerFacts, string, boolean]>([
    ['that never had values keeps what is live', releaseOf([silent]), 'keeps', false],
    ['with values puts them back', releaseOf([storing]), 'reverts', true],
    [
      'of Helm 4 with values conflicts, and forced puts them back',
      releaseOf([storing], { applyMethod: 'server-side' }),
      'conflicts',
      true,
    ],
    ['with the very values that are written agrees', releaseOf([{ ...storing, rendered: planned }]), 'agrees', false],
    [
      'whose newest revision failed is judged by the deployed one, too',
      releaseOf([{ ...silent, revision: 3, status: 'failed' }, storing]),
      'reverts',
      true,
    ],
    [
      'of Dapr 1.11 renders the live Secret, and puts nothing back',
      releaseOf([{ ...storing, values: noValues }], { chart: { name: 'dapr', version: '1.11.6' } }),
      'keeps',
      false,
    ],
    [
      'of Dapr 1.11 with values puts them back',
      releaseOf([storing], { chart: { name: 'dapr', version: '1.11.6' } }),
      'reverts',
      true,
    ],
    [
      'that renders data from elsewhere than values puts them back',
      releaseOf([{ ...storing, values: noValues }]),
      'reverts',
      true,
    ],
  ])('%s', (_, facts, effect, stops) => {
    expect(told(facts)).toEqual([['helm', effect, stops]]);
  });

  test('that keeps the bundle deletes it by force, which is told', () => {
    const [verdict] = judgeOwners(releaseOf([silent]), planned);
    expect(verdict?.message).toContain('`helm upgrade --force` deletes it');
  });

  test('with the root alone would put it back into the ConfigMap alone: what arms the accident', () => {
    const rendered = { Secret: {}, ConfigMap: live.ConfigMap };
    const [verdict] = judgeOwners(releaseOf([{ ...storing, values: { ...noValues, root: true }, rendered }]), planned);
    expect(verdict).toMatchObject({ effect: 'reverts', stops: true, objects: ['ConfigMap'] });
    expect(verdict?.message).toContain('the next Sentry to start makes a new root');
  });

  test('whose objects differ in themselves arms the accident by its next upgrade', () => {
    const rendered = { ...live, ConfigMap: { 'ca.crt': digest('old root without its last line') } };
    const [verdict] = judgeOwners(releaseOf([{ ...storing, rendered }]), planned);
    expect(verdict?.message).toContain('Secret and ConfigMap then hold different anchors');
    expect(judgeOwners(releaseOf([storing]), planned)[0]?.message).not.toContain('different anchors');
  });

  test('minds a new issuer in the Secret alone', () => {
    expect(judgeOwners(releaseOf([storing]), issuerOnly)[0]).toMatchObject({ stops: true, objects: ['Secret'] });
  });

  test('that may not be read is told, and stops nothing', () => {
    const facts: OwnerFacts = { live, helm: { state: 'not-checked', reason: 'no right' }, claims: [] };
    expect(told(facts)).toEqual([['helm', 'unknown', false]]);
  });

  test('of which only a trace can be read stops by that', () => {
    const facts = claimed('helm', { kind: 'keys', keys: ['ca.crt'] });
    expect(told({ ...facts, helm: { state: 'not-checked', reason: 'no right' } })).toEqual([
      ['helm', 'unknown', false],
      ['helm', 'reverts', true],
    ]);
  });

  test('that Flux upgrades is one verdict, on Flux', () => {
    const claims = (['Secret', 'ConfigMap'] as const).map((object) => ({
      owner: 'flux',
      kind: 'HelmRelease',
      name: 'dapr-system/dapr',
      object,
      declares: { kind: 'release' as const },
    }));
    const [verdict, ...rest] = judgeOwners({ ...releaseOf([storing]), claims }, planned);
    expect(rest).toEqual([]);
    expect(verdict).toMatchObject({ owner: 'flux', stops: true, source: 'helm-values' });
    expect(verdict?.title).toBe('Flux HelmRelease dapr-system/dapr');
  });
});

describe('a mark', () => {
  test.each<[string, OwnerFacts, string, boolean]>([
    ['declares other values', claimed('argocd', { kind: 'values', data: live.Secret }), 'reverts', true],
    ['declares the same values', claimed('argocd', { kind: 'values', data: planned.Secret }), 'agrees', false],
    ['declares a key that changes', claimed('flux', { kind: 'keys', keys: ['ca.crt'] }), 'reverts', true],
    ['declares another key', claimed('flux', { kind: 'keys', keys: ['jwt.key'] }), 'keeps', false],
    ['writes everything', claimed('cert-manager', { kind: 'everything' }), 'reverts', true],
    ['leaves the data alone', claimed('flux', { kind: 'nothing' }), 'keeps', false],
    ['is covered by our own writes', claimed('flux', { kind: 'unknown' }), 'unknown', false],
    ['was applied by hand', claimed('kubectl', { kind: 'values', data: live.Secret }), 'reverts', false],
  ])('that %s', (_, facts, effect, stops) => {
    expect(told(facts)).toEqual([[facts.claims[0]?.owner, effect, stops]]);
  });

  test('on the ConfigMap does not mind a change of the issuer', () => {
    expect(told(claimed('cert-manager', { kind: 'everything' }, { object: 'ConfigMap' }), issuerOnly)).toEqual([]);
  });

  test('on both objects is one verdict, by the graver of both', () => {
    const one = claimed('flux', { kind: 'nothing' }).claims[0];
    if (!one) throw new Error('no claim');
    const two: OwnerClaim = { ...one, object: 'ConfigMap', declares: { kind: 'keys', keys: ['ca.crt'] } };
    const verdicts = judgeOwners({ live, helm: { state: 'none' }, claims: [one, two] }, planned);
    expect(verdicts).toMatchObject([{ effect: 'reverts', objects: ['ConfigMap'] }]);
  });
});

test('where nothing changes there is nothing to judge', () => {
  expect(judgeOwners({ ...releaseOf([storing]), ...claimed('flux', { kind: 'everything' }) }, live)).toEqual([]);
});

test('an object that is not there is not changed', () => {
  const facts: OwnerFacts = {
    ...claimed('cert-manager', { kind: 'everything' }, { object: 'ConfigMap' }),
    live: { Secret: live.Secret, ConfigMap: undefined },
  };
  expect(judgeOwners(facts, planned)).toEqual([]);
});

test('planned data are digests of the parts, the anchors in both objects', () => {
  expect(planned.ConfigMap).toEqual({ 'ca.crt': digest('new root') });
  expect(Object.keys(planned.Secret)).toEqual(['ca.crt', 'issuer.crt', 'issuer.key']);
});

describe('the refusal', () => {
  const command = 'dapr-mtls renew-certificate -k';
  const refuse = (facts: OwnerFacts, ignored: string[] = []) =>
    whyOwned(judgeOwners(facts, planned), ignored, command, 'all');

  test('offers Helm for a release, first', () => {
    const error = refuse(releaseOf([storing]));
    expect(error).toMatchObject({ code: 'store.owned', exitCode: 6 });
    expect(error?.message).toContain('Helm release dapr stores another bundle in its values (revision 2)');
    expect(commandsIn(error?.hint)).toEqual([
      `${command} --via-helm`,
      `${command} --output-helm-values values.yaml --with-issuer-key`,
      `${command} --ignore-owner helm`,
    ]);
  });

  test('does not offer Helm where Flux upgrades the release', () => {
    const facts: OwnerFacts = {
      ...releaseOf([storing]),
      claims: claimed('flux', { kind: 'release' }, { kind: 'HelmRelease' }).claims,
    };
    expect(commandsIn(refuse(facts)?.hint)).toEqual([
      `${command} --output-helm-values values.yaml --with-issuer-key`,
      `${command} --ignore-owner flux`,
    ]);
  });

  test('offers a manifest to who applies manifests, and names all that must be ignored', () => {
    const facts = claimed('argocd', { kind: 'keys', keys: ['ca.crt'] });
    const more = claimed('sealedsecret', { kind: 'everything' });
    expect(commandsIn(refuse({ ...facts, claims: [...facts.claims, ...more.claims] })?.hint)).toEqual([
      `${command} --output-manifest trust-bundle.yaml --with-issuer-key`,
      `${command} --ignore-owner argocd --ignore-owner sealedsecret`,
    ]);
  });

  test('offers nothing to commit where the data come from elsewhere', () => {
    const facts = claimed('external-secrets', { kind: 'everything' });
    expect(commandsIn(refuse(facts)?.hint)).toEqual([`${command} --ignore-owner external-secrets`]);
  });

  test('offers who brings a copy back to go on, and nothing to store or to commit', () => {
    const restore = 'dapr-mtls backup restore -k';
    const more = claimed('argocd', { kind: 'keys', keys: ['ca.crt'] });
    const verdicts = judgeOwners({ ...releaseOf([storing]), claims: more.claims }, planned);
    const error = whyOwned(verdicts, [], restore, 'ignoring');
    expect(error).toMatchObject({ code: 'store.owned', exitCode: 6 });
    expect(commandsIn(error?.hint)).toEqual([`${restore} --ignore-owner helm --ignore-owner argocd`]);
    expect(whyOwned(verdicts, ['helm', 'argocd'], restore, 'ignoring')).toBeUndefined();
  });

  test('is none for who is ignored, in any case of letters, and stays for the others', () => {
    expect(refuse(releaseOf([storing]), ['Helm'])).toBeUndefined();
    expect(refuse(releaseOf([storing]), ['argocd'])?.code).toBe('store.owned');
    expect(refuse(releaseOf([silent]))).toBeUndefined();
  });

  const commandsIn = (hint = '') => hint.split('\n').flatMap((line) => (/^ {2}\S/.test(line) ? line.trim() : []));
});

test('what is told when it goes on: who will undo it, and what Helm can do', () => {
  const verdicts = (facts: OwnerFacts): OwnerVerdict[] => judgeOwners(facts, planned);
  const { warnings, notes } = ownerRemarks(verdicts(releaseOf([storing])));
  expect(warnings[0]).toMatch(/^Warning: Helm release dapr stores another/);
  expect(notes).toEqual([]);
  expect(ownerRemarks(verdicts(releaseOf([silent]))).notes[0]).toMatch(/^Note: .*--force/);
  expect(ownerRemarks(verdicts(claimed('flux', { kind: 'nothing' })))).toEqual({ warnings: [], notes: [] });
});

test('a repair says aloud who will undo it, by name, and nothing of who will not', () => {
  const remark = (facts: OwnerFacts) => undoneRemark(judgeOwners(facts, planned));
  const more = claimed('argocd', { kind: 'keys', keys: ['ca.crt'] });
  expect(remark({ ...releaseOf([storing]), claims: more.claims })).toMatch(
    /^WARNING: THIS REPAIR WILL BE UNDONE by Helm release dapr, Argo CD .*`dapr-mtls check -k`/,
  );
  expect(remark(releaseOf([silent]))).toBeUndefined();
  expect(remark(claimed('flux', { kind: 'nothing' }))).toBeUndefined();
  expect(undoneRemark([])).toBeUndefined();
});
