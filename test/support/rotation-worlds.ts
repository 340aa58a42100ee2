import { createPublicKey, type KeyObject } from 'node:crypto';
import { readAnchors } from '../../src/app/rotate/held-anchors.ts';
import type { RotationWish } from '../../src/app/rotate/plan.ts';
import type { Procedure } from '../../src/app/rotate/record.ts';
import type { RotationRequest } from '../../src/app/rotate/stages.ts';
import type { BundleFiles, TrustBundle } from '../../src/pki/bundle.ts';
import { readCertificate } from '../../src/pki/certificate.ts';
import { encodeBundle, encodeCertificates } from '../../src/pki/encode.ts';
import { encodePrivateKey, type KeyType } from '../../src/pki/keys.ts';
import { dayMs, newKey, renew } from './bundles.ts';
import type { Chance } from './chance.ts';
import {
  alternativeName,
  authorityKeyId,
  basicConstraints,
  commonName,
  extendedKeyUsage,
  forge,
  keyUsage,
  type Purpose,
  type StringType,
  subjectKeyId,
} from './forged-certificate.ts';

/** A certificate authority of a world, with its key. */
export interface ForgedAuthority {
  readonly der: Buffer;
  readonly key: KeyObject;
}

export interface ForgedWish {
  readonly name: string;
  readonly as?: StringType;
  readonly key?: KeyObject;
  readonly signer?: ForgedAuthority;
  readonly pathLength?: number | undefined;
  readonly purposes?: readonly Purpose[] | undefined;
  readonly dnsName?: string | undefined;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** An authority as anybody might have made it; self-signed without a signer. */
export function forgeAuthority(wish: ForgedWish): ForgedAuthority {
  const { name, as = 'utf8', key = newKey('p256'), signer, pathLength, purposes = [], dnsName } = wish;
  const keyId = (of: KeyObject) => createPublicKey(of).export({ type: 'spki', format: 'der' }).subarray(-20);
  const der = forge({
    subject: commonName(name, as),
    issuer: signer ? readCertificate(signer.der).detail.subjectDer : commonName(name, as),
    key,
    signer: signer?.key ?? key,
    serial: Buffer.from([1 + (serial++ % 120)]),
    notBefore: new Date(wish.notBefore),
    notAfter: new Date(wish.notAfter),
    extensions: [
      basicConstraints(true, pathLength),
      keyUsage('digitalSignature', 'keyCertSign', 'cRLSign'),
      ...(purposes.length > 0 ? [extendedKeyUsage(...purposes)] : []),
      subjectKeyId(keyId(key)),
      authorityKeyId(keyId(signer?.key ?? key)),
      ...(dnsName ? [alternativeName('dns', dnsName)] : []),
    ],
  });
  return { der, key };
}

let serial = 0;

export function filesOf(anchors: readonly ForgedAuthority[], chain: readonly ForgedAuthority[]): BundleFiles {
  const pem = (authorities: readonly ForgedAuthority[]) =>
    encodeCertificates(authorities.map(({ der }) => readCertificate(der)));
  const [issuer] = chain;
  if (!issuer) throw new Error('a chain has an issuer');
  return { anchors: pem(anchors), issuerChain: pem(chain), issuerKey: Buffer.from(encodePrivateKey(issuer.key)) };
}

/** Everything about one world that chance decides before anything is planned. */
export interface RotationWorld {
  readonly files: BundleFiles;
  readonly kind: 'cluster' | 'directory';
  readonly now: number;
  readonly held: readonly string[];
  readonly skipped: readonly string[];
  readonly wish: RotationWish;
  readonly hasExternalClient: boolean;
}

const kinds: readonly KeyType[] = ['p256', 'p256', 'p256', 'p256', 'p384', 'ed25519', 'rsa2048'] as const;
const purposeSets: readonly (readonly Purpose[])[] = [
  [],
  [],
  [],
  ['server', 'client'],
  ['client'],
  ['server'],
  ['codeSigning'],
];
const versions = ['1.9', '1.10', '1.11', '1.11', '1.13', '1.15', '1.17', '1.17', '1.18', '1.18', '1.19', undefined];
const minuteMs = 60_000;

function wishFor(chance: Chance, aim: Procedure | undefined): Procedure | undefined {
  if (aim === undefined || aim === 'replace') return undefined;
  return aim === 'retire' || chance.is(0.5) ? aim : undefined;
}

/**
 * A world that leans toward a procedure, so that each is met often enough.
 * @param aim undefined: none
 */
export async function drawWorld(chance: Chance, aim: Procedure | undefined, now: number): Promise<RotationWorld> {
  const keyType = chance.pick(kinds);
  const isEmergency = aim === 'replace' || chance.is(0.03);
  const soon = () => chance.between(30, 3 * 24 * 60) * minuteMs;
  const life = () => (chance.is(0.15) ? soon() : chance.between(3, 400) * dayMs);
  const pathLength = (usual: number) =>
    chance.is(aim === 'bridge' ? 0.1 : 0.35) ? chance.between(0, usual) : undefined;
  const hasExpired = isEmergency && chance.is(0.7) ? chance.pick(['root', 'issuer', 'both'] as const) : undefined;
  const born = now - 400 * dayMs;
  const past = () => now - chance.between(1, 2 * 24 * 60) * minuteMs;
  const isSameName = chance.is(0.4);
  const as = () => chance.pick(['utf8', 'printable'] as const);
  const root = forgeAuthority({
    name: 'cluster.local',
    as: as(),
    key: newKey(keyType),
    pathLength: pathLength(4),
    purposes: chance.is(0.2) ? ['server', 'client'] : [],
    notBefore: born,
    notAfter: hasExpired === 'root' || hasExpired === 'both' ? past() : now + life(),
  });
  const issuer = forgeAuthority({
    name: isSameName ? 'cluster.local' : 'issuer',
    as: as(),
    key: newKey(chance.pick(kinds)),
    signer: root,
    pathLength: pathLength(3),
    purposes: chance.is(0.4) ? chance.pick(purposeSets) : [],
    dnsName: chance.is(0.5) ? 'cluster.local' : undefined,
    notBefore: born,
    notAfter: hasExpired === 'issuer' || hasExpired === 'both' ? past() : now + life(),
  });
  const other = forgeAuthority({
    name: chance.is(0.5) ? 'cluster.local' : 'other',
    notBefore: born,
    notAfter: chance.is(0.3) ? past() : now + life(),
  });
  const anchors = chance.is(0.3) || (aim === 'retire' && chance.is(0.5)) ? [root, other] : [root];
  if (chance.is(0.3)) anchors.reverse();
  let files = filesOf(anchors, chance.is(0.1) ? [issuer, root] : [issuer]);
  let rootKey = root.key;
  const held = [files.anchors.toString()];
  if (!isEmergency && chance.is(aim === 'retire' ? 0.6 : 0.2)) {
    const earlier = await renew(files, undefined, { now: new Date(now - dayMs), rootValidMs: life() + 3 * dayMs });
    files = encodeBundle(earlier.bundle);
    rootKey = earlier.rootKey ?? rootKey;
    held.push(files.anchors.toString());
  }
  if (!isEmergency && chance.is(0.15)) {
    const request = { kind: 'private-key', rootKey, procedure: undefined } as const;
    const renewed = await renew(files, request, { now: new Date(now - dayMs) }).catch(() => undefined);
    if (renewed) {
      files = { ...files, anchors: encodeCertificates([renewed.root, ...readAnchors(files.anchors)]) };
      held.push(files.anchors.toString());
    }
  }
  // Sentry exits on what is no root, and those that talk go on for a while.
  if (isEmergency && !hasExpired) files = { ...files, anchors: Buffer.concat([files.anchors, files.issuerChain]) };
  const unknown = forgeAuthority({ name: 'unknown', notBefore: born, notAfter: now + 9 * dayMs });
  const pem = ({ der }: ForgedAuthority) => encodeCertificates([readCertificate(der)]).toString();
  const request = drawRequest(chance, aim, { root, issuer, rootKey, now });
  const oddities = [
    pem(root) + pem(unknown),
    pem(unknown),
    'no certificate',
    pem(root),
    files.anchors.toString(),
    ...(request.kind === 'own' ? [encodeCertificates(request.bundle.anchors).toString()] : []),
  ];
  const count = chance.between(1, 6);
  const sidecars = Array.from({ length: count }, () => (chance.is(0.8) ? chance.pick(held) : chance.pick(oddities)));
  const version = chance.is(aim === 'bridge' ? 0.8 : 0.2) ? '1.17' : chance.pick(versions);
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  return {
    files,
    kind: chance.is(0.8) ? 'cluster' : 'directory',
    now,
    held: sidecars,
    skipped: chance.is(0.1) ? ['shop/app-0'] : [],
    hasExternalClient: chance.is(0.1),
    wish: {
      request,
      procedure: isEmergency && !hasExpired ? 'replace' : wishFor(chance, aim),
      drain: chance.is(0.6) ? undefined : chance.pick(['wait', 'restart'] as const),
      skipped: [],
      now: new Date(now),
      rootValidMs: 365 * dayMs,
      issuerValidMs: chance.pick([30, 365]) * dayMs,
      workloadCertTtlMs: chance.pick([20 * minuteMs, 2 * 60 * minuteMs, dayMs]),
      allowedClockSkewMs: chance.pick([minuteMs, 15 * minuteMs]),
      trustDomain: 'cluster.local',
      keyType: chance.pick(kinds),
      issuerPathLength: chance.is(0.1) ? chance.between(0, 3) : undefined,
      daprVersion: version === undefined ? undefined : { major, minor, patch: 0 },
      newSerial: () => `4${Array.from({ length: 31 }, () => chance.between(0, 15).toString(16)).join('')}`,
      newKey,
    },
  };
}

interface Family {
  readonly root: ForgedAuthority;
  readonly issuer: ForgedAuthority;
  readonly rootKey: KeyObject;
  readonly now: number;
}

function drawRequest(chance: Chance, aim: Procedure | undefined, family: Family): RotationRequest {
  const needsKey = aim === 'same-root' || aim === 'same-key';
  if (chance.is(needsKey ? 0.7 : 0.1)) return { kind: 'private-key', rootKey: family.rootKey };
  if (chance.is(needsKey || aim === 'staged' ? 0.6 : 0.08))
    return { kind: 'own', bundle: drawOwn(chance, aim, family) };
  return chance.is(0.05) ? { kind: 'private-key', rootKey: newKey('p256') } : { kind: 'fresh' };
}

/** Files of somebody's own: another root, the same one, or one on the same key, its name as it was or not. */
function drawOwn(chance: Chance, aim: Procedure | undefined, { root, now }: Family): TrustBundle {
  const times = { notBefore: now - dayMs, notAfter: now + 300 * dayMs };
  const old = readCertificate(root.der);
  const isPrintable = old.detail.subjectDer.includes(Buffer.from([0x13, 0x0d]));
  const as = chance.is(0.7) === isPrintable ? ('printable' as const) : ('utf8' as const);
  const relation =
    aim === 'same-root' ? 'same' : aim === 'same-key' ? 'key' : chance.pick(['same', 'key', 'new', 'new']);
  const ownRoot =
    relation === 'same'
      ? root
      : forgeAuthority({ name: 'cluster.local', as, ...(relation === 'key' ? { key: root.key } : {}), ...times });
  const middle = chance.is(0.3) ? forgeAuthority({ name: 'middle', signer: ownRoot, ...times }) : undefined;
  const issuer = forgeAuthority({
    name: 'own issuer',
    signer: middle ?? ownRoot,
    purposes: chance.is(0.3) ? ['server', 'client'] : [],
    dnsName: chance.is(0.5) ? 'cluster.local' : undefined,
    ...times,
  });
  const second = chance.is(0.2) ? [forgeAuthority({ name: 'next root', ...times })] : [];
  const read = ({ der }: ForgedAuthority) => readCertificate(der);
  return {
    anchors: [ownRoot, ...second].map(read),
    issuerChain: [read(issuer), ...(middle ? [read(middle)] : []), ...(chance.is(0.3) ? [read(ownRoot)] : [])],
    issuerKey: issuer.key,
  };
}
