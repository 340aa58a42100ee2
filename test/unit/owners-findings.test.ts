import { describe, expect, test } from 'vitest';
import { findOwnerFindings } from '../../src/app/owners/findings.ts';
import { planData } from '../../src/app/owners/planned-data.ts';
import type { HelmFacts, HelmRevision, OwnerClaim, OwnerFacts } from '../../src/kube/owners/facts.ts';
import { type FindingCode, findingTable } from '../../src/pki/rules/finding.ts';
import { bundleNames } from '../support/bundles.ts';

const bundleOf = (name: string) => ({
  anchors: Buffer.from(`${name} root`),
  issuerChain: Buffer.from(`${name} issuer`),
  issuerKey: Buffer.from(`${name} key`),
});
const live = planData(bundleOf('live'), bundleNames);
const other = planData(bundleOf('other'), bundleNames);
const all = { root: true, issuerCertificate: true, issuerKey: true };
const none = { root: false, issuerCertificate: false, issuerKey: false };

const helm = (values: HelmRevision['values'], rendered: HelmRevision['rendered']): HelmFacts => ({
  state: 'found',
  release: {
    name: 'dapr',
    namespace: 'dapr-system',
    chart: { name: 'dapr', version: '1.17.13' },
    applyMethod: 'client-side',
    valuesPath: ['dapr_sentry', 'tls'],
    revisions: [{ revision: 2, status: 'deployed', values, rendered }],
  },
});
const claim = (declares: OwnerClaim['declares']): OwnerClaim => ({
  owner: 'argocd',
  kind: 'Application',
  name: 'dapr',
  object: 'Secret',
  declares,
});
const facts = (wishes: Partial<OwnerFacts>): OwnerFacts => ({ live, helm: { state: 'none' }, claims: [], ...wishes });
const codesOf = (wishes: Partial<OwnerFacts>) => findOwnerFindings(facts(wishes)).map(({ code }) => code);

type OwnerCode = Extract<FindingCode, `owner.${string}`>;

const cases: Record<OwnerCode, { readonly trigger: Partial<OwnerFacts>; readonly accept: Partial<OwnerFacts> }> = {
  'owner.reverts': {
    trigger: { helm: helm(all, other) },
    accept: { helm: helm(all, live) },
  },
  'owner.helm-values': {
    trigger: { helm: helm(all, live) },
    accept: { helm: helm(none, { Secret: {}, ConfigMap: {} }) },
  },
  'owner.helm-force': {
    trigger: { helm: helm(none, { Secret: {}, ConfigMap: {} }) },
    accept: { helm: helm(all, live) },
  },
  'owner.declares': {
    trigger: { claims: [claim({ kind: 'values', data: live.Secret })] },
    accept: { claims: [claim({ kind: 'nothing' })] },
  },
  'owner.not-checked': {
    trigger: { helm: { state: 'not-checked', reason: 'no right' } },
    accept: { helm: { state: 'none' } },
  },
};

describe.each(Object.entries(cases))('%s', (code, { trigger, accept }) => {
  test('is found where it holds, with a subject, a message and a mend', () => {
    const found = findOwnerFindings(facts(trigger)).find((finding) => finding.code === code);
    expect(found?.severity).toBe(findingTable[code as OwnerCode][0]);
    for (const text of [found?.subject, found?.message, found?.hint]) expect(text).toMatch(/\S/);
  });

  test('is not found where it does not', () => {
    expect(codesOf(accept)).not.toContain(code);
  });
});

test('there is a case for each code of the table', () => {
  const codes = Object.keys(findingTable).filter((code) => code.startsWith('owner.'));
  expect(Object.keys(cases).sort()).toEqual(codes.sort());
});

test('a mark that declares other data than the live ones is about to put them back', () => {
  expect(codesOf({ claims: [claim({ kind: 'values', data: other.Secret })] })).toEqual(['owner.reverts']);
  expect(codesOf({ claims: [claim({ kind: 'everything' })] })).toEqual(['owner.declares']);
});

test('a release that would put back the ConfigMap alone is an error: that is how a new root is made', () => {
  const rootOnly = helm({ ...none, root: true }, { Secret: {}, ConfigMap: other.ConfigMap });
  expect(findOwnerFindings(facts({ helm: rootOnly }))[0]).toMatchObject({ code: 'owner.reverts', severity: 'error' });
});

test('the mend of a release that Flux upgrades is its HelmRelease', () => {
  const flux: OwnerClaim = { ...claim({ kind: 'release' }), owner: 'flux', kind: 'HelmRelease' };
  const [finding] = findOwnerFindings(facts({ helm: helm(all, other), claims: [flux] }));
  expect(finding).toMatchObject({ code: 'owner.reverts', hint: expect.stringContaining('HelmRelease') });
  expect(finding?.hint).not.toContain('helm upgrade');
});

test('the mend stores the live bundle without a key on the command line', () => {
  const [finding] = findOwnerFindings(facts({ helm: helm(all, other) }));
  expect(finding?.hint).toContain('--set-file dapr_sentry.tls.issuer.keyPEM=certs/issuer.key');
});
