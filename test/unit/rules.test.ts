import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { checkBundle, exitCodeOfFindings } from '../../src/app/check/check.ts';
import { type ClusterSurroundings, judgeCluster } from '../../src/app/check/cluster.ts';
import { type DirectorySurroundings, judgeDirectory } from '../../src/app/check/directory.ts';
import { defaultSettings } from '../../src/app/configuration/settings.ts';
import { readTokenValidators } from '../../src/app/configuration/validators.ts';
import { encodeBundle } from '../../src/pki/encode.ts';
import { encodePrivateKey } from '../../src/pki/keys.ts';
import { encodePem } from '../../src/pki/pem.ts';
import { isAtLeast, parseDaprVersion } from '../../src/pki/rules/context.ts';
import { type FindingCode, findingTable, type Severity } from '../../src/pki/rules/finding.ts';
import type { FoundFiles, StoreLocation, StoreState } from '../../src/store/port.ts';
import { bundleNames, dayMs, makeBundle, renew } from '../support/bundles.ts';
import { fixtureInstant, readForeignBundle } from '../support/fixtures.ts';
import {
  basicConstraints,
  commonName,
  extendedKeyUsage,
  type Forgery,
  forge,
  keyUsage,
} from '../support/forged-certificate.ts';

interface Situation {
  readonly files: FoundFiles;
  readonly kind?: StoreLocation['kind'];
  readonly at?: Date;
  readonly version?: string;
  readonly ttlMs?: number;
  readonly skewMs?: number;
  readonly validators?: unknown;
  readonly state?: StoreState;
  readonly surroundings?: Partial<DirectorySurroundings>;
  readonly cluster?: Partial<ClusterSurroundings>;
}

const now = fixtureInstant;
const { files, bundle } = await makeBundle({ rootValidMs: 365 * dayMs, issuerValidMs: 200 * dayMs });
const other = await makeBundle();
const ed25519 = await makeBundle({ keyType: 'ed25519' });
const bridged = encodeBundle((await renew(files)).bundle);
/** Bridged by an issuer that ends long before its root. */
const shortBridge = encodeBundle(
  (await renew((await makeBundle({ rootValidMs: 365 * dayMs, issuerValidMs: 20 * dayMs })).files)).bundle,
);
const sound: Situation = { files };
const nothing: FoundFiles = { anchors: undefined, issuerChain: undefined, issuerKey: undefined };

const [rootKey, issuerKey] = [newEcKey(), newEcKey()];
const authority = [basicConstraints(true), keyUsage('keyCertSign')];
const crl = '-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n';
const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';

/** What makes a rule speak, and what comes close to it without. */
const cases: Record<
  Exclude<FindingCode, `owner.${string}`>,
  { readonly severity?: Severity; readonly trigger: Situation; readonly accept?: Situation }
> = {
  'bundle.missing': { trigger: changed('issuerKey', () => undefined) },
  // An anchors' file of foreign blocks alone has nothing damaged in it, and no anchor.
  'sentry.refuses': { trigger: changed('anchors', () => crl) },
  'pem.unreadable': {
    trigger: changed('anchors', (text) => text.trimEnd() + text),
    accept: changed('anchors', (text) => `# root\n${text.replaceAll('\n', '\r\n')}`),
  },
  'pem.odd': { trigger: changed('anchors', (text) => `${text}\0`) },
  'pem.foreign-block': { trigger: changed('issuerChain', (text) => text + crl) },
  'pem.hidden-certificate': {
    trigger: changed('anchors', (text) => text + crl + other.files.anchors),
    accept: changed('anchors', (text) => text + other.files.anchors + crl),
  },
  'pem.private-key': { trigger: changed('anchors', (text) => text + files.issuerKey) },
  'certificate.unreadable': {
    trigger: changed('anchors', (text) => text + encodePem('CERTIFICATE', Buffer.from('none'))),
  },
  'anchor.not-self-signed': { trigger: changed('anchors', (text) => text + files.issuerChain) },
  'anchor.duplicate': {
    trigger: changed('anchors', (text) => text + text),
    accept: changed('anchors', (text) => text + other.files.anchors),
  },
  'anchor.expired': {
    trigger: changed('anchors', (text) => text + root({ notAfter: before(1) })),
    accept: changed('anchors', (text) => text + root({ notAfter: after(400) })),
  },
  'anchor.expires-soon': {
    trigger: changed('anchors', (text) => text + root({ notAfter: after(29) })),
    accept: changed('anchors', (text) => text + root({ notAfter: after(31) })),
  },
  'bridge.ended': {
    trigger: { files: shortBridge, at: after(21) },
    accept: { files: shortBridge, at: after(19) },
  },
  'root.expired': { trigger: { files, at: after(366) } },
  'root.not-yet-valid': { trigger: { files, at: before(1) } },
  'root.expires-soon': { trigger: { files, at: after(336) }, accept: { files, at: after(334) } },
  'issuer.expired': { trigger: { files, at: after(201) } },
  'issuer.not-yet-valid': { trigger: forged({}, { notBefore: after(1) }) },
  'issuer.expires-soon': { trigger: { files, at: after(171) }, accept: { files, at: after(169) } },
  'issuer.outlives-root': {
    trigger: forged({ notAfter: after(99) }, { notAfter: after(100) }),
    accept: forged({ notAfter: after(100) }, { notAfter: after(100) }),
  },
  'issuer.is-root': { trigger: { files: { ...files, issuerChain: files.anchors } } },
  'issuer.order': {
    trigger: changed('issuerChain', (text) => text + other.files.issuerChain),
    accept: changed('issuerChain', (text) => text + files.anchors),
  },
  'issuer.not-authority': {
    trigger: forged({}, { extensions: [basicConstraints(false), keyUsage('keyCertSign')] }),
    accept: forged({}, {}),
  },
  'issuer.unknown-authority': { trigger: { files: { ...files, anchors: other.files.anchors } } },
  'issuer.path-length': {
    trigger: forged({ extensions: [basicConstraints(true, 0), keyUsage('keyCertSign')] }, {}),
    accept: forged({ extensions: [basicConstraints(true, 1), keyUsage('keyCertSign')] }, {}),
  },
  'issuer.no-dns-name': {
    trigger: { files: readForeignBundle('sentry-1.17') },
    accept: { files: readForeignBundle('sentry-1.17'), version: '1.14' },
  },
  'issuer.bars-bridge': {
    trigger: { files: (await makeBundle({ issuerPathLength: 1 })).files },
    accept: { files: (await makeBundle({ issuerPathLength: 2 })).files },
  },
  'chain.useless': { trigger: forged({}, {}, { notAfter: before(1) }), accept: forged({}, {}, {}) },
  'key.not-first': {
    trigger: changed('issuerKey', (text) => parameters + text),
    accept: changed('issuerKey', (text) => text + parameters),
  },
  'key.unreadable': { trigger: changed('issuerKey', (text) => text.slice(0, 60)) },
  'key.encrypted': {
    trigger: { files: { ...files, issuerKey: Buffer.from(encodePrivateKey(bundle.issuerKey, 'secret')) } },
  },
  'key.mismatch': { trigger: { files: { ...files, issuerKey: other.files.issuerKey } } },
  'key.type': {
    severity: 'info',
    trigger: { files: ed25519.files },
    accept: { files: ed25519.files, version: '1.18' },
  },
  'leaf.does-not-verify': {
    trigger: forged({}, { extensions: [...authority, extendedKeyUsage('codeSigning')] }),
    accept: forged({}, { extensions: [...authority, extendedKeyUsage('server', 'client')] }),
  },
  'leaf.outlives-issuer': { trigger: { files, at: after(199.5) }, accept: { files, at: after(198.5) } },
  'leaf.skew': { trigger: { files, ttlMs: dayMs, skewMs: dayMs }, accept: { files, ttlMs: dayMs, skewMs: dayMs - 1 } },
  'leaf.short-lifetime': {
    trigger: { files, ttlMs: 900_000, skewMs: 60_000 },
    accept: { files, ttlMs: 900_001, skewMs: 60_000 },
  },
  'validator.built-in': {
    trigger: validatedBy({ name: 'Kubernetes' }),
    accept: validatedBy({ name: 'jwks', options: { source: 'https://keys.example/jwks' } }),
  },
  'validator.unknown': { trigger: validatedBy({ name: 'jwk' }), accept: validatedBy({ name: 'JWKS' }) },
  'validator.no-source': {
    trigger: validatedBy({ name: 'jwks', options: { source: '' } }),
    accept: validatedBy({ name: 'jwks', options: { source: '{"keys":[]}' } }),
  },
  'validator.plain-http': {
    trigger: validatedBy({ name: 'jwks', options: { source: 'http://keys.example/jwks' } }),
    accept: validatedBy({ name: 'jwks', options: { source: '/etc/keys/jwks.json' } }),
  },
  'validator.external-clients': {
    trigger: validatedBy({ name: 'jwks', options: { source: 'https://keys.example/jwks' } }),
    accept: { files, validators: [] },
  },
  'store.interrupted': { trigger: { files, state: 'interrupted' } },
  'store.changing': { trigger: { files, state: 'changing' }, accept: { files, state: 'unknown' } },
  'store.key-readable': { trigger: { files, surroundings: { keyMode: '0644' } } },
  'store.root-key-beside': {
    trigger: beside({ name: 'root.key', isRootKey: true, isConfiguration: false }),
    accept: beside({ name: 'a.key', isRootKey: false, isConfiguration: false }),
  },
  'store.config-inside': { trigger: beside({ name: 'config.yaml', isRootKey: false, isConfiguration: true }) },
  'cluster.bundle-mismatch': {
    trigger: { files, cluster: { configMap: { anchors: Buffer.from('other'), isImmutable: false } } },
    accept: { files, cluster: {} },
  },
  'cluster.bundle-empty': {
    trigger: { files, cluster: { configMap: { anchors: undefined, isImmutable: false } } },
    accept: { files, cluster: { hasConfigMap: false, configMap: undefined } },
  },
  'cluster.secret-missing': {
    trigger: { files: nothing, kind: 'cluster', cluster: { secret: undefined } },
    accept: { files, kind: 'cluster', cluster: {} },
  },
  'cluster.configmap-missing': {
    trigger: { files, cluster: { configMap: undefined } },
    accept: { files, cluster: { configMap: undefined, isSettled: false } },
  },
  'cluster.immutable': {
    trigger: { files, cluster: { secret: { anchors: files.anchors, isImmutable: true } } },
    accept: { files, cluster: {} },
  },
  'cluster.unread': {
    trigger: { files, cluster: { unread: ['Configuration: forbidden'] } },
    accept: { files, cluster: {} },
  },
  'config.unreadable': { trigger: { files, surroundings: { settingsProblem: 'config.yaml is not a Configuration' } } },
};

test('there is a case for each code of the table', () => {
  // Who else owns the bundle is judged, and tested, apart.
  const codes = Object.keys(findingTable).filter((code) => !code.startsWith('owner.'));
  expect(Object.keys(cases).sort()).toEqual(codes.sort());
});

describe.each(Object.entries(cases))('%s', (code, { severity, trigger, accept }) => {
  test('is found where it holds, with a subject, a message and a mend', () => {
    const found = check(trigger).findings.filter((finding) => finding.code === code);
    expect(found).not.toEqual([]);
    expect(found[0]?.severity).toBe(severity ?? findingTable[code as FindingCode][0]);
    for (const { subject, message, hint } of found)
      for (const text of [subject, message, hint]) expect(text).not.toBe('');
  });

  test('is not found where it does not', () => {
    expect(codesOf(accept ?? sound)).not.toContain(code);
  });
});

describe('a mend leads to the store that was judged', () => {
  const mendsOf = (situation: Situation) => check(situation).findings.flatMap(({ hint }) => commandsIn(hint));
  const bundleMends = Object.entries(cases).filter(
    ([code, { trigger }]) => !/^(cluster|config)\./.test(code) && mendsOf(trigger).length > 0,
  );

  test('there are such mends', () => {
    expect(bundleMends.length).toBeGreaterThan(15);
  });

  test.each(bundleMends)('%s', (_, { trigger }) => {
    for (const command of mendsOf({ ...trigger, kind: 'cluster' })) expect(command).toMatch(/ -k$/);
    for (const command of mendsOf(trigger)) expect(command).not.toMatch(/ -k\b/);
  });
});

function commandsIn(hint: string): string[] {
  return [...hint.matchAll(/`(dapr-mtls [^`]+)`/g)].map(([, command = '']) => command);
}

describe('nothing at all is found', () => {
  test.each([
    ['in a bundle of ours', { files }],
    ['behind a bridge', { files: bridged }],
    ["in Sentry's own, on the version that made it", { files: readForeignBundle('sentry-1.18'), version: '1.18.3' }],
  ])('%s', (_, situation: Situation) => {
    expect(check(situation).findings).toEqual([]);
  });
});

describe('circumstances make it worse or lighter', () => {
  test.each([
    ['key.type', { files: ed25519.files, version: '1.12' }, 'error'],
    ['key.type', { files: ed25519.files, version: '1.16.15' }, 'error'],
    ['key.type', { files: ed25519.files, version: '1.17.6' }, 'error'],
    ['issuer.no-dns-name', { files: readForeignBundle('sentry-1.17'), version: '1.11' }, 'error'],
    ['issuer.no-dns-name', { files: readForeignBundle('sentry-1.17'), version: '1.13' }, 'info'],
    ['leaf.does-not-verify', { ...serverOnly(), version: '1.13' }, 'error'],
    ['leaf.does-not-verify', serverOnly(), 'info'],
  ] as const)('%s', (code, situation: Situation, severity) => {
    expect(check(situation).findings.find((finding) => finding.code === code)?.severity).toBe(severity);
  });

  test.each(['1.16.16', '1.17.7', '1.18', '2.0'])('Dapr %s takes every type of key', (version) => {
    expect(codesOf({ files: ed25519.files, version })).not.toContain('key.type');
  });

  test('an issuer for servers alone is nothing to Dapr 1.14', () => {
    expect(codesOf({ ...serverOnly(), version: '1.14' })).not.toContain('leaf.does-not-verify');
  });
});

test('an expired certificate in the middle is an error where the chain needs it', () => {
  const middleKey = newEcKey();
  const middle = certificate({ subject: commonName('middle'), key: middleKey, notAfter: before(1) });
  const issuer = certificate({
    subject: commonName('issuer'),
    issuer: commonName('middle'),
    key: issuerKey,
    signer: middleKey,
  });
  const situation = {
    files: {
      anchors: Buffer.from(root({})),
      issuerChain: Buffer.from(issuer + middle),
      issuerKey: Buffer.from(encodePrivateKey(issuerKey)),
    },
  };
  expect(codesOf(situation)).toContain('leaf.does-not-verify');
  expect(codesOf(situation)).not.toContain('chain.useless');
});

test('a bridge has not ended before it begins', () => {
  const codes = (at: Date) => check({ files: bridged, at }).findings.map(({ code }) => code);
  expect(codes(before(400))).toContain('root.not-yet-valid');
  expect(codes(before(400))).not.toContain('bridge.ended');
});

test('of what Sentry refuses a copy is the first mend, and a new bundle the last, with its price', () => {
  const hintOf = (anchors: Buffer) => check({ files: { ...files, anchors } }).findings[0]?.hint ?? '';
  for (const hint of [hintOf(files.anchors.subarray(0, 300)), hintOf(Buffer.from(crl))])
    expect(hint).toMatch(/backup restore.*renew-certificate.*cuts off whoever holds the old anchors/);
});

test('an anchor that only a bridge serves is told by the end of the bridge', async () => {
  const old = await makeBundle({ rootValidMs: 365 * dayMs, issuerValidMs: 20 * dayMs });
  const renewed = encodeBundle((await renew(old.files)).bundle);
  const [found] = check({ files: renewed }).findings;
  expect(found).toMatchObject({
    code: 'anchor.expires-soon',
    message: expect.stringContaining(`bridge to this anchor ends at ${after(20).toISOString()}`),
  });
});

test('the gravest stands first, and the exit code follows --fail-on', () => {
  const report = check({ files: { ...files, issuerChain: files.anchors }, ttlMs: 60_000, skewMs: 1000 });
  const ranks = report.findings.map(({ severity }) => ['error', 'warning', 'info'].indexOf(severity));
  expect(ranks).toEqual([...ranks].sort());
  expect(report.summary).toMatchObject({ warning: 1 });
  expect(['never', 'warning', 'error'].map((failOn) => exitCodeOfFindings(report, failOn as 'never'))).toEqual([
    0, 10, 10,
  ]);
  const warned = check({ files, ttlMs: 60_000, skewMs: 1000 });
  expect(['never', 'warning', 'error'].map((failOn) => exitCodeOfFindings(warned, failOn as 'never'))).toEqual([
    0, 10, 0,
  ]);
});

describe('versions of Dapr', () => {
  test.each([
    ['1.17', { major: 1, minor: 17, patch: 0 }],
    ['v1.17.3', { major: 1, minor: 17, patch: 3 }],
    ['1.9.0-mariner', { major: 1, minor: 9, patch: 0 }],
    [' 1.18.0-rc.1 ', { major: 1, minor: 18, patch: 0 }],
    ['1', undefined],
    ['latest', undefined],
    ['1.17.3.4', undefined],
    ['', undefined],
  ])('"%s"', (text, version) => {
    expect(parseDaprVersion(text)).toEqual(version);
  });

  test('are compared part by part', () => {
    const version = { major: 1, minor: 16, patch: 15 };
    expect([
      isAtLeast(version, 1, 16),
      isAtLeast(version, 1, 16, 15),
      isAtLeast(version, 1, 16, 16),
      isAtLeast(version, 1, 17),
      isAtLeast(version, 0, 99),
      isAtLeast(version, 2, 0),
    ]).toEqual([true, true, false, false, true, false]);
  });
});

function check({
  files: found,
  kind = 'directory',
  at = now,
  version,
  ttlMs,
  skewMs,
  validators,
  state = 'settled',
  surroundings,
  cluster,
}: Situation) {
  const settings = {
    ...defaultSettings,
    ...(ttlMs !== undefined && { workloadCertTtlMs: ttlMs }),
    ...(skewMs !== undefined && { allowedClockSkewMs: skewMs }),
    tokenValidators: readTokenValidators(validators),
  };
  return checkBundle(
    { files: found, revision: '', state },
    { kind, name: 'certs', names: bundleNames },
    { settings, findings: [...inDirectory(surroundings), ...(cluster ? inCluster(cluster) : [])] },
    { at, warnBeforeMs: 30 * dayMs, daprVersion: version === undefined ? undefined : parseDaprVersion(version) },
  );
}

describe('a cluster without its bundle', () => {
  const without = { anchors: undefined, isImmutable: false };
  const inKind = (cluster: Partial<ClusterSurroundings>) =>
    check({ files: nothing, kind: 'cluster', cluster }).findings.map(({ code, subject, message, hint }) => ({
      code,
      object: subject.split(' ')[0],
      sentry: /exits|makes a new root/.exec(message)?.[0],
      from: /--from (\w+)/.exec(hint)?.[1],
    }));

  test.each<[string, Partial<ClusterSurroundings>, readonly (readonly string[])[]]>([
    ['no Secret', { secret: undefined }, [['cluster.secret-missing', 'Secret', 'exits', 'backup']]],
    [
      'neither object',
      { secret: undefined, configMap: undefined },
      [['cluster.secret-missing', 'Secret', 'exits', 'backup']],
    ],
    [
      'no Secret, and no ConfigMap in this version',
      { secret: undefined, configMap: undefined, hasConfigMap: false },
      [['cluster.secret-missing', 'Secret', 'exits', 'backup']],
    ],
    ['an empty Secret', { secret: without }, [['cluster.bundle-empty', 'Secret', 'makes a new root', 'backup']]],
    [
      'an empty Secret, and no ConfigMap in this version',
      { secret: without, configMap: undefined, hasConfigMap: false },
      [['cluster.bundle-empty', 'Secret', 'makes a new root', 'backup']],
    ],
    [
      'both empty',
      { secret: without, configMap: without },
      [
        ['cluster.bundle-empty', 'Secret', 'makes a new root', 'backup'],
        ['cluster.bundle-empty', 'ConfigMap', 'makes a new root', 'backup'],
      ],
    ],
    [
      'an empty Secret, and no ConfigMap',
      { secret: without, configMap: undefined },
      [
        ['cluster.bundle-empty', 'Secret', 'makes a new root', 'backup'],
        ['cluster.configmap-missing', 'ConfigMap', 'exits', 'backup'],
      ],
    ],
  ])('%s', (_, cluster, findings) => {
    expect(inKind(cluster)).toEqual(findings.map(([code, object, sentry, from]) => ({ code, object, sentry, from })));
  });

  test('an empty ConfigMap is filled from a whole Secret', () => {
    const { findings } = check({ files, kind: 'cluster', cluster: { configMap: without } });
    expect(findings).toMatchObject([
      {
        code: 'cluster.bundle-empty',
        subject: expect.stringContaining('ConfigMap'),
        hint: expect.stringContaining('--from secret'),
      },
    ]);
  });

  test('a Secret that lacks a part makes Sentry generate, and a copy is what helps', () => {
    const { findings } = check({ ...changed('issuerKey', () => undefined), kind: 'cluster', cluster: {} });
    expect(findings).toMatchObject([
      { code: 'bundle.missing', hint: expect.stringMatching(/^Let no Sentry start: .*`dapr-mtls backup restore -k`/) },
    ]);
  });
});

function validatedBy(validator: unknown): Situation {
  return { files, validators: [validator] };
}

function inDirectory(surroundings: Partial<DirectorySurroundings> = {}) {
  return judgeDirectory({
    names: bundleNames,
    settingsProblem: undefined,
    keyMode: undefined,
    otherFiles: [],
    ...surroundings,
  });
}

function inCluster(surroundings: Partial<ClusterSurroundings>) {
  const object = { anchors: files.anchors, isImmutable: false };
  return judgeCluster({
    name: 'dapr-system/dapr-trust-bundle',
    anchorsName: bundleNames.anchors,
    hasConfigMap: true,
    isSettled: true,
    secret: object,
    configMap: object,
    unread: [],
    ...surroundings,
  });
}

function codesOf(situation: Situation): string[] {
  return check(situation).findings.map(({ code }) => code);
}

function changed(part: keyof FoundFiles, change: (text: string) => string | undefined): Situation {
  const content = change(files[part].toString());
  return { files: { ...files, [part]: content === undefined ? undefined : Buffer.from(content) } };
}

function beside(file: DirectorySurroundings['otherFiles'][number]): Situation {
  return { files, surroundings: { otherFiles: [file] } };
}

function after(days: number): Date {
  return new Date(now.getTime() + days * dayMs);
}

function before(days: number): Date {
  return after(-days);
}

function newEcKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
}

/** A certificate below the forged root, as PEM. */
function certificate(oddity: Partial<Forgery>): string {
  const der = forge({
    subject: commonName('issuer'),
    issuer: commonName('root'),
    key: issuerKey,
    signer: rootKey,
    notBefore: before(10),
    notAfter: after(100),
    extensions: authority,
    ...oddity,
  });
  return encodePem('CERTIFICATE', der);
}

function root(oddity: Partial<Forgery>): string {
  return certificate({ subject: commonName('root'), key: rootKey, ...oddity });
}

/** A root, an issuer below it, and behind that the root's key once more, under another name's signature. */
function forged(rootOddity: Partial<Forgery>, issuerOddity: Partial<Forgery>, tail?: Partial<Forgery>): Situation {
  const crossed =
    tail &&
    certificate({
      subject: commonName('root'),
      key: rootKey,
      issuer: commonName('elsewhere'),
      signer: newEcKey(),
      ...tail,
    });
  return {
    files: {
      anchors: Buffer.from(root(rootOddity)),
      issuerChain: Buffer.from(certificate(issuerOddity) + (crossed ?? '')),
      issuerKey: Buffer.from(encodePrivateKey(issuerKey)),
    },
  };
}

function serverOnly(): Situation {
  return forged({}, { extensions: [...authority, extendedKeyUsage('server')] });
}
