import { type KeyObject, randomBytes } from 'node:crypto';
import { type CurrentBundle, readCurrent } from '../../src/app/renew/current.ts';
import { makeRenewal } from '../../src/app/renew/make.ts';
import type { Renewal, RenewOptions, RenewRequest } from '../../src/app/renew/renewal.ts';
import type { BundleFiles, TrustBundle } from '../../src/pki/bundle.ts';
import { encodeBundle } from '../../src/pki/encode.ts';
import { type IssueContext, issueIssuer, issueRoot } from '../../src/pki/issue.ts';
import { generateKey, type KeyType, readPrivateKey } from '../../src/pki/keys.ts';
import { fixtureInstant, readFixture } from './fixtures.ts';

export const bundleNames = { anchors: 'ca.crt', issuerChain: 'issuer.crt', issuerKey: 'issuer.key' } as const;

export const dayMs = 86_400_000;
const skewMs = 15 * 60_000;

function newSerial(): string {
  return `4${randomBytes(16).toString('hex').slice(1)}`;
}

export interface MadeBundle {
  readonly bundle: TrustBundle;
  readonly files: BundleFiles;
  readonly rootKey: KeyObject;
}

const drawn = new Map<KeyType, number>();

/** A fresh key; of RSA the next of four that lie ready, because making one takes seconds. */
export function newKey(type: KeyType): KeyObject {
  if (!type.startsWith('rsa')) return generateKey(type);
  const count = drawn.get(type) ?? 0;
  drawn.set(type, count + 1);
  return readPrivateKey(readFixture(`pki/rsa-keys/${type}-${count % 4}.key`), type);
}

interface BundleWishes {
  readonly keyType?: KeyType;
  readonly trustDomain?: string;
  readonly at?: Date;
  readonly rootValidMs?: number;
  readonly issuerValidMs?: number;
  readonly issuerPathLength?: number;
}

/** What `mtls init` makes, by the same calls. */
export async function makeBundle(wishes: BundleWishes = {}): Promise<MadeBundle> {
  const { keyType = 'p256', at = fixtureInstant, rootValidMs = 365 * dayMs, issuerValidMs = rootValidMs } = wishes;
  const context = contextAt(at, wishes.trustDomain);
  const rootKey = newKey(keyType);
  const root = await issueRoot(rootKey, new Date(at.getTime() + rootValidMs), context);
  const end = new Date(at.getTime() + issuerValidMs);
  const issuer = await issueIssuer(root, newKey(keyType), end, context, wishes.issuerPathLength);
  const bundle: TrustBundle = {
    anchors: [root.certificate],
    issuerChain: [issuer.certificate],
    issuerKey: issuer.key,
  };
  return { bundle, files: encodeBundle(bundle), rootKey };
}

export function contextAt(at: Date, trustDomain = 'cluster.local'): IssueContext {
  return { trustDomain, notBefore: new Date(at.getTime() - skewMs), newSerial };
}

export function currentOf(
  files: BundleFiles,
  at: Date = fixtureInstant,
  kind: CurrentBundle['kind'] = 'directory',
): CurrentBundle {
  return readCurrent({ files, revision: '', state: 'settled' }, { kind, name: 'certs', names: bundleNames }, at);
}

/** A renewal as the command makes it, in memory. */
export function renew(
  files: BundleFiles,
  request: RenewRequest = { kind: 'fresh', procedure: undefined },
  options: Partial<RenewOptions> = {},
): Promise<Renewal> {
  const now = options.now ?? fixtureInstant;
  return makeRenewal(currentOf(files, now), {
    request,
    now,
    rootValidMs: 365 * dayMs,
    issuerValidMs: 365 * dayMs,
    allowedClockSkewMs: skewMs,
    trustDomain: 'cluster.local',
    keyType: 'p256',
    issuerPathLength: undefined,
    daprVersion: undefined,
    newSerial,
    newKey,
    ...options,
  });
}
