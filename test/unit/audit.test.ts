import { beforeAll, describe, expect, test } from 'vitest';
import { auditSidecars, exitCodeOfAudit } from '../../src/app/audit/audit.ts';
import type { ReferenceFiles } from '../../src/app/audit/reference.ts';
import { auditRemarks, auditWarnings } from '../../src/app/audit/remarks.ts';
import type { AuditReport } from '../../src/app/audit/report.ts';
import { observeAudit } from '../../src/app/observation/observe-audit.ts';
import type { Renewal } from '../../src/app/renew/renewal.ts';
import type { SidecarPod } from '../../src/kube/pods/sidecar-pod.ts';
import { readCertificate } from '../../src/pki/certificate.ts';
import { encodeBundle, encodeCertificates } from '../../src/pki/encode.ts';
import { readPem } from '../../src/pki/pem.ts';
import { renderAudit } from '../../src/render/audit.ts';
import { dayMs, type MadeBundle, makeBundle, renew } from '../support/bundles.ts';
import { fixtureInstant, readForeignBundle } from '../support/fixtures.ts';
import { sidecarPod } from '../support/sidecar-pods.ts';

const pipe = { isTty: false, columns: 80, colour: false };
const cluster = { context: 'prod', server: 'https://127.0.0.1:6443', namespace: 'dapr-system' };

function audit(
  against: Pick<ReferenceFiles, 'anchors'> & Partial<ReferenceFiles>,
  pods: readonly SidecarPod[] | AsyncIterable<readonly SidecarPod[]>,
  at = fixtureInstant,
): Promise<AuditReport> {
  return auditSidecars(
    {
      cluster,
      against: { kind: 'live', name: 'dapr-system/dapr-trust-bundle', issuerChain: undefined, ...against },
      scope: { namespace: null, pods: 'labelled' },
      pods: Symbol.asyncIterator in pods ? pods : [pods],
    },
    at,
  );
}

async function stateOf(reference: Parameters<typeof audit>[0], anchors: Buffer | string, at?: Date) {
  const { sidecars, workloads } = await audit(reference, [sidecarPod(anchors)], at);
  return { state: sidecars[0]?.state, reason: workloads[0]?.reason };
}

const fingerprints = (pem: Buffer) => readPem(pem).blocks.map(({ der }) => readCertificate(der).fingerprint);

let old: MadeBundle;
let other: MadeBundle;
/** The next bundle by each of the ways to a new root. */
let bridged: Renewal;
let replaced: Renewal;
let renewedOnItsKey: Renewal;
/** When the old certificates have ended. */
const nextYear = new Date(fixtureInstant.getTime() + 400 * dayMs);

beforeAll(async () => {
  old = await makeBundle();
  other = await makeBundle();
  bridged = await renew(old.files);
  replaced = await renew(old.files, { kind: 'fresh', procedure: 'replace' });
  const onItsKey = { kind: 'private-key' as const, rootKey: old.rootKey, procedure: undefined };
  renewedOnItsKey = await renew(old.files, onItsKey, { rootValidMs: 800 * dayMs, issuerValidMs: 800 * dayMs });
  expect([bridged, replaced, renewedOnItsKey].map(({ procedure }) => procedure)).toEqual([
    'bridge',
    'replace',
    'same-key',
  ]);
});

const filesOf = ({ bundle }: Renewal) => encodeBundle(bundle);
/** Its new root alone. */
const rootOf = ({ root }: Renewal) => encodeCertificates([root]);

describe('a sidecar', () => {
  test('that holds the root is current', async () => {
    expect(await stateOf(old.files, old.files.anchors)).toEqual({ state: 'current', reason: null });
  });

  test('under a bridge is stale with the old anchor, current with the new one or both', async () => {
    const files = filesOf(bridged);
    expect(await stateOf(files, old.files.anchors)).toEqual({
      state: 'stale',
      reason: `lacks the anchor ${bridged.root.fingerprint.slice(0, 16)}`,
    });
    expect(await stateOf(files, files.anchors)).toEqual({ state: 'current', reason: null });
    expect(await stateOf(files, rootOf(bridged))).toEqual({ state: 'current', reason: null });
  });

  test('of another root is broken, and so is one of the old root once everything is replaced', async () => {
    expect(await stateOf(old.files, other.files.anchors)).toMatchObject({ state: 'broken' });
    expect(await stateOf(filesOf(replaced), old.files.anchors)).toMatchObject({ state: 'broken' });
  });

  test('with the old certificate of a root that was renewed on its key is stale until that ends, then broken', async () => {
    expect(await stateOf(filesOf(renewedOnItsKey), old.files.anchors)).toMatchObject({ state: 'stale' });
    expect(await stateOf(filesOf(renewedOnItsKey), old.files.anchors, nextYear)).toMatchObject({
      state: 'broken',
      reason: expect.stringContaining('expired'),
    });
    expect(await stateOf(filesOf(renewedOnItsKey), rootOf(renewedOnItsKey), nextYear)).toMatchObject({
      state: 'current',
    });
  });

  test('loses the anchors behind a block that is no certificate, as daprd does', async () => {
    const foreign = '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n';
    expect(await stateOf(old.files, `${other.files.anchors}${foreign}${old.files.anchors}`)).toMatchObject({
      state: 'broken',
    });
    expect(await stateOf(old.files, `${other.files.anchors}${old.files.anchors}`)).toMatchObject({ state: 'current' });
  });

  test.each([
    ['no variable', undefined, 'daprd has no DAPR_TRUST_ANCHORS'],
    ['an empty variable', '', 'DAPR_TRUST_ANCHORS is empty'],
    ['a reference', { source: 'reference' as const }, /refers to another object/],
    ['more than any bundle', '#'.repeat(65_537), 'DAPR_TRUST_ANCHORS is 65537 characters long'],
    ['no PEM', 'rubbish', /no readable certificate: the file holds no PEM block/],
    [
      'a damaged certificate',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      /no readable certificate: a certificate cannot be read/,
    ],
  ])('that does not tell is unknown: %s', async (_, variable, reason) => {
    const { workloads } = await audit(old.files, [sidecarPod(variable)]);
    expect(workloads).toMatchObject([{ state: 'unknown', reason: expect.stringMatching(reason) }]);
  });

  test('that is labelled and has no daprd is unknown', async () => {
    const { workloads } = await audit(old.files, [sidecarPod('', { daprd: undefined })]);
    expect(workloads).toMatchObject([{ state: 'unknown', reason: 'no container is called daprd' }]);
  });
});

describe('what is not known of the reference', () => {
  const superset = () => ({ anchors: Buffer.concat([old.files.anchors, other.files.anchors]), issuerChain: undefined });

  test('without the issuer every valid anchor is needed', async () => {
    expect(await stateOf(superset(), old.files.anchors)).toMatchObject({ state: 'stale' });
    expect(await stateOf(superset(), superset().anchors)).toMatchObject({ state: 'current' });
    expect(await stateOf(superset(), filesOf(bridged).anchors)).toMatchObject({ state: 'stale' });
    expect(await stateOf({ anchors: other.files.anchors }, old.files.anchors)).toMatchObject({ state: 'broken' });
  });

  test('an anchor that has ended is needed by nobody', async () => {
    const long = await makeBundle({ rootValidMs: 800 * dayMs });
    const anchors = Buffer.concat([old.files.anchors, long.files.anchors]);
    expect(await stateOf({ anchors }, long.files.anchors, nextYear)).toMatchObject({ state: 'current' });
    expect(await stateOf({ anchors }, long.files.anchors)).toMatchObject({ state: 'stale' });
  });

  test('the old certificate of a root carries what the new one of that key signs', async () => {
    expect(await stateOf({ anchors: rootOf(renewedOnItsKey) }, old.files.anchors)).toMatchObject({ state: 'stale' });
    expect(await stateOf({ anchors: rootOf(bridged) }, old.files.anchors)).toMatchObject({ state: 'broken' });
  });

  test('a bundle in which nobody verifies anything is told as such', async () => {
    const report = await audit(old.files, [sidecarPod(old.files.anchors)], nextYear);
    expect(report.against.problem).toContain('expired');
    // Whoever re-creates a pod now loses it.
    const hints = observeAudit(report).checks.flatMap(({ findings }) => findings.map(({ hint }) => hint));
    expect(new Set(hints)).toEqual(new Set(['The bundle comes first: `dapr-mtls check -k`.']));
    expect(report.totals).toMatchObject({ broken: 1 });
    expect(auditWarnings(report)).toEqual([expect.stringContaining('Warning: nobody verifies this bundle')]);
  });

  test.each([
    ['no sidecars', () => []],
    ['sidecars that do not tell', () => [sidecarPod(undefined)]],
  ])('nor does it pass as well with %s', async (_, pods) => {
    const report = await audit(old.files, pods(), nextYear);
    expect(report.totals.broken).toBe(0);
    expect((['error', 'warning', 'never'] as const).map((failOn) => exitCodeOfAudit(report, failOn))).toEqual([
      10, 10, 0,
    ]);
    expect(observeAudit(report).verdict).toMatch(/^nobody verifies the bundle; /);
    expect(renderAudit(report, pipe)).toContain('Mend: The bundle comes first: `dapr-mtls check -k`.');
  });

  test.each([
    ['no anchors', () => ({ anchors: undefined }), 'store.missing'],
    ['anchors that are none', () => ({ anchors: Buffer.from('rubbish') }), 'trust.unreadable'],
    ['an unreadable issuer', () => ({ ...old.files, issuerChain: Buffer.from('rubbish') }), 'trust.unreadable'],
    ['an issuer of another root', () => ({ ...old.files, issuerChain: other.files.issuerChain }), 'trust.refused'],
  ])('%s is an error and never a guess', async (_, reference, code) => {
    await expect(audit(reference(), [])).rejects.toMatchObject({ code });
  });
});

describe('the counts', () => {
  const pods = () => [
    sidecarPod(old.files.anchors, { name: 'a' }),
    sidecarPod(filesOf(bridged).anchors, { name: 'b', deletionTimestamp: fixtureInstant }),
    sidecarPod(other.files.anchors, { name: 'c', phase: 'Succeeded' }),
    sidecarPod(other.files.anchors, { name: 'd', phase: 'Failed' }),
    sidecarPod(`\n${old.files.anchors}`, { name: 'e', phase: 'Pending' }),
    sidecarPod(other.files.anchors, {
      name: 'f',
      namespace: 'billing',
      workload: { kind: 'StatefulSet', name: 'ledger' },
    }),
    sidecarPod(undefined, { name: 'g', workload: { kind: 'Pod', name: 'g' }, appId: undefined }),
    sidecarPod(filesOf(bridged).anchors, { name: 'h', namespace: 'billing' }),
  ];

  test('leave out what has ended, and nothing else', async () => {
    const { totals, sidecars } = await audit(filesOf(bridged), pods());
    expect(totals).toEqual({ sidecars: 6, workloads: 4, current: 2, stale: 2, broken: 1, unknown: 1 });
    expect(sidecars.map(({ pod }) => pod)).toEqual(['a', 'b', 'e', 'f', 'g', 'h']);
    expect(sidecars.filter(({ terminating }) => terminating).map(({ pod }) => pod)).toEqual(['b']);
  });

  test('are told by workload, the gravest first', async () => {
    const { workloads } = await audit(filesOf(bridged), pods());
    expect(workloads).toMatchObject([
      { namespace: 'billing', kind: 'StatefulSet', name: 'ledger', state: 'broken', sidecars: 1, broken: 1 },
      { namespace: 'shop', kind: 'Deployment', name: 'checkout', state: 'stale', sidecars: 3, stale: 2, current: 1 },
      { namespace: 'shop', kind: 'Pod', name: 'g', state: 'unknown', unknown: 1 },
      { namespace: 'billing', kind: 'Deployment', name: 'checkout', state: 'current', reason: null },
    ]);
  });

  test('take two texts of the same anchors for one set', async () => {
    const { anchorSets } = await audit(filesOf(bridged), pods());
    expect(anchorSets).toMatchObject([
      { state: 'broken', sidecars: 1, anchors: fingerprints(other.files.anchors) },
      { state: 'stale', sidecars: 2, anchors: fingerprints(old.files.anchors) },
      { state: 'unknown', sidecars: 1, anchors: [] },
      { state: 'current', sidecars: 2, anchors: fingerprints(filesOf(bridged).anchors) },
    ]);
  });

  test('tell how many hold each anchor', async () => {
    const { against } = await audit(filesOf(bridged), pods());
    const [oldAnchor] = fingerprints(old.files.anchors);
    expect(against.anchors.map(({ fingerprint, role, heldBy }) => [fingerprint === oldAnchor, role, heldBy])).toEqual(
      expect.arrayContaining([
        [true, 'anchor', 4],
        [false, 'root', 2],
      ]),
    );
  });

  test('tell what was looked for where nothing was found', async () => {
    const none = await audit(old.files, []);
    expect(exitCodeOfAudit(none, 'warning')).toBe(0);
    expect(auditRemarks(none).join('\n')).toContain("No pod in any namespace bears the injector's label");
    const unlabelled = { ...none, scope: { namespace: 'shop', pods: 'all' as const } };
    expect(auditRemarks(unlabelled).join('\n')).toContain('No pod in namespace shop has a daprd');
  });
});

test.each([
  ['current', 0, 0],
  ['stale', 10, 0],
  ['unknown', 10, 0],
  ['broken', 10, 10],
] as const)('%s: exit %i at a warning, %i at an error', async (state, atWarning, atError) => {
  const anchors = { current: rootOf(bridged), stale: old.files.anchors, unknown: '', broken: other.files.anchors };
  const report = await audit(filesOf(bridged), [sidecarPod(anchors[state]), sidecarPod(filesOf(bridged).anchors)]);
  expect(report.totals[state]).toBeGreaterThan(0);
  expect(exitCodeOfAudit(report, 'warning')).toBe(atWarning);
  expect(exitCodeOfAudit(report, 'error')).toBe(atError);
  expect(exitCodeOfAudit(report, 'never')).toBe(0);
});

describe('the mend', () => {
  const behind = () => [sidecarPod(other.files.anchors)];
  const hintsOf = (report: AuditReport) => [
    ...new Set(observeAudit(report).checks.flatMap(({ findings }) => findings.map(({ hint }) => hint))),
  ];
  /** How the text ends, and the hints of the other formats. */
  const toldOf = (report: AuditReport) => ({
    text: renderAudit(report, pipe).split('Mend: ')[1]?.trimEnd(),
    hints: hintsOf(report),
  });

  test.each([
    ['directory', '/srv/new', '`dapr-mtls check --dir /srv/new`'],
    ['directory', "/srv/ana's new", "`dapr-mtls check --dir '/srv/ana'\\''s new'`"],
    ['file', '/srv/new root.crt', "`dapr-mtls inspect '/srv/new root.crt'`"],
  ] as const)('of another bundle that nobody verifies looks at that one: %s %s', async (kind, name, command) => {
    const issuerChain = kind === 'file' ? undefined : old.files.issuerChain;
    const hint = `The bundle comes first: ${command}.`;
    const report = await audit({ anchors: old.files.anchors, issuerChain, kind, name }, behind(), nextYear);
    expect(toldOf(report)).toEqual({ text: hint, hints: [hint] });
  });

  test('against another bundle never brings the anchors of the live one', async () => {
    const hint = 'Let the live bundle carry these anchors, too, and re-create the pods, before the issuer changes.';
    const report = await audit({ ...old.files, kind: 'directory', name: '/srv/new' }, behind());
    expect(toldOf(report)).toEqual({ text: hint, hints: [hint] });
  });

  test('leads to the control plane and the namespace that are meant', async () => {
    const report = { ...(await audit(old.files, behind())), cluster: { ...cluster, namespace: 'dapr-2' } };
    const command = 'dapr-mtls restart -k --apps -n shop --control-plane-namespace dapr-2';
    const hint = `Re-create the pods, which get the anchors of today: \`${command}\`.`;
    expect(toldOf({ ...report, scope: { ...report.scope, namespace: 'shop' } })).toEqual({ text: hint, hints: [hint] });
    expect(toldOf(report)).toEqual({ text: hint.replace('-n shop', '-A'), hints: [hint] });
  });
});

test('a workload in several states is counted by its gravest, and the others are told beside', async () => {
  const { broken, stale, unknown } = { broken: other.files.anchors, stale: old.files.anchors, unknown: '' };
  const pods = [broken, stale, stale, stale, unknown, unknown].map((anchors) => sidecarPod(anchors));
  const report = await audit(filesOf(bridged), pods);
  const told = /1 of 6 sidecars is broken: verifies none of its peers: .*; 3 stale, 2 unknown$/;
  expect(observeAudit(report).checks[1]?.findings).toMatchObject([{ message: expect.stringMatching(told) }]);
  expect(renderAudit(report, pipe)).toMatch(/\nbroken +1 of 6 +shop .*; 3 stale, 2 unknown\n/);
  const [one] = observeAudit(await audit(filesOf(bridged), pods.slice(1, 2))).checks.slice(1);
  expect(one?.findings).toMatchObject([{ message: expect.stringMatching(/^1 of 1 sidecar is stale: /) }]);
  const [three] = observeAudit(await audit(filesOf(bridged), pods.slice(1, 4))).checks.slice(1);
  expect(three?.findings).toMatchObject([
    { message: expect.stringMatching(/^3 of 3 sidecars are stale: lacks \S+ \S+ \S+$/) },
  ]);
});

test('an error while pods are read is no report', async () => {
  const cut = new Error('cut');
  const pods = (async function* () {
    yield [sidecarPod(old.files.anchors)];
    throw cut;
  })();
  await expect(audit(old.files, pods)).rejects.toBe(cut);
});

test.each(['sentry-1.11', 'sentry-1.17', 'sentry-1.18', 'step', 'openssl-docs'] as const)(
  'sidecars under a bundle of %s are current with its anchors',
  async (name) => {
    const files = readForeignBundle(name);
    expect(await stateOf(files, files.anchors)).toEqual({ state: 'current', reason: null });
  },
);
