import type { KeyObject } from 'node:crypto';
import { DaprMtlsError } from '../../errors.ts';
import { type BundleFiles, findRoot, type TrustBundle } from '../../pki/bundle.ts';
import { type Certificate, hasSameKey } from '../../pki/certificate.ts';
import { verifyLeafOf, whyNotSigned } from '../../pki/chain.ts';
import { encodeBundle, encodeCertificates } from '../../pki/encode.ts';
import { issueIssuer } from '../../pki/issue.ts';
import { publicKeyOf } from '../../pki/keys.ts';
import { type DaprVersion, isAtLeast } from '../../pki/rules/context.ts';
import { isBridgeProven } from '../renew/bridge.ts';
import { type CurrentBundle, workingAnchors } from '../renew/current.ts';
import { issueContext, makeRenewal } from '../renew/make.ts';
import type { RenewOptions } from '../renew/renewal.ts';
import type { Procedure, StageName } from './record.ts';

/** A bundle as it will stand at one moment. */
export interface Stage {
  readonly files: BundleFiles;
  /** As Sentry and daprd see them. */
  readonly anchors: readonly Certificate[];
  readonly issuerChain: readonly [Certificate, ...Certificate[]];
}

export type Stages = Readonly<Partial<Record<StageName, Stage>>>;

/** What the certificates are made from; as for a renewal. */
export type RotationRequest =
  | { readonly kind: 'fresh' }
  | { readonly kind: 'private-key'; readonly rootKey: KeyObject }
  | { readonly kind: 'own'; readonly bundle: TrustBundle };

export interface MaterialOptions extends Omit<RenewOptions, 'request'> {
  readonly request: RotationRequest;
  /** Of the oldest sidecar; undefined where none tells. */
  readonly oldestDaprd?: DaprVersion | undefined;
}

/** All the certificates of a rotation, made in memory; nothing is written. */
export interface Material {
  readonly stages: Stages;
  /** The root that counts in the end. */
  readonly root: Certificate;
  /** Of a root that was made; undefined where it was given, or none was made. */
  readonly newRootKey: KeyObject | undefined;
  readonly remarks: readonly string[];
}

/**
 * Makes what a procedure needs.
 * @throws DaprMtlsError `trust.impossible` with the reason why this procedure cannot be taken
 */
export async function makeStages(
  procedure: Procedure,
  current: CurrentBundle,
  options: MaterialOptions,
): Promise<Material> {
  if (options.request.kind === 'own') assertFitsOldClients(options.request.bundle, options);
  switch (procedure) {
    case 'same-root':
      return makeSameRoot(current, options);
    case 'same-key':
      return makeSameKey(current, options);
    case 'bridge':
      return makeBridge(current, options);
    case 'staged':
    case 'replace':
      return makeNewRoot(procedure, current, options);
    case 'retire':
      return retireOnly(current, options.now);
  }
}

/** What old clients ask beyond what Go asks by itself (dapr-facts, sections 2 and 8; pki/rules/issuer.ts). */
function assertFitsOldClients(
  { anchors, issuerChain }: TrustBundle,
  { daprVersion, oldestDaprd, now }: Pick<MaterialOptions, 'daprVersion' | 'oldestDaprd' | 'now'>,
): void {
  const asksForClientAuth = [daprVersion, oldestDaprd].some((version) => version && !isAtLeast(version, 1, 14));
  if (asksForClientAuth && !verifyLeafOf(issuerChain, { anchors, at: now, usage: 'clientAuth' }).ok)
    throw impossible('the issuer that was given is not good for clients (clientAuth), which Dapr up to 1.13 asks for');
  // Asked by placement and operator, which are of Sentry's version.
  if (daprVersion && !isAtLeast(daprVersion, 1, 12) && issuerChain[0].detail.dnsNames.length === 0)
    throw impossible('the issuer that was given has no DNS name, which Dapr up to 1.11 asks for');
}

/** The anchor that a key belongs to, also an expired one; the one the issuer hangs on, where several fit. */
export function findRootOf({ root, liveAnchors }: CurrentBundle, key: KeyObject): Certificate | undefined {
  const isOf = (certificate: Certificate) => hasSameKey(publicKeyOf(key), certificate.publicKey);
  return root && isOf(root) ? root : liveAnchors.find(isOf);
}

async function makeSameRoot(current: CurrentBundle, options: MaterialOptions): Promise<Material> {
  const { request, now } = options;
  const before = stageBefore(current);
  if (!before) throw impossible('the bundle is not whole');
  if (request.kind === 'own') return adoptUnderSameRoot(current, before, request.bundle, now);
  const root = request.kind === 'private-key' ? findRootOf(current, request.rootKey) : undefined;
  if (request.kind !== 'private-key' || !root) throw impossible('it needs the key of the running root (--private-key)');
  if (!current.liveAnchors.includes(root)) throw impossible('the root has expired, or is not valid yet');
  const issuer = await issueIssuer(
    { certificate: root, key: request.rootKey },
    options.newKey(options.keyType),
    new Date(now.getTime() + options.issuerValidMs),
    issueContext(options),
    options.issuerPathLength,
  );
  const bundle = { anchors: before.anchors, issuerChain: [issuer.certificate] as const, issuerKey: issuer.key };
  assertNobodyLeft(current, bundle.issuerChain, now);
  const after: Stage = {
    files: { ...encodeBundle(bundle), anchors: before.files.anchors },
    anchors: before.anchors,
    issuerChain: bundle.issuerChain,
  };
  const remarks =
    issuer.certificate.notAfter.getTime() < now.getTime() + options.issuerValidMs - 1000
      ? [`The new issuer ends with its root, at ${issuer.certificate.notAfter.toISOString().slice(0, 10)}.`]
      : [];
  return { stages: { before, after }, root, newRootKey: undefined, remarks };
}

function adoptUnderSameRoot(current: CurrentBundle, before: Stage, bundle: TrustBundle, now: Date): Material {
  const root = verifyLeafOf(bundle.issuerChain, { anchors: before.anchors, at: now }).chains[0]?.at(-1);
  if (!root) throw impossible('the issuer that was given hangs on no anchor that is trusted already');
  // Whoever gives a new root wants it to be trusted, also where the old one verifies the issuer as well.
  const newcomer = bundle.anchors.find((anchor) => !isAmong(before.anchors, anchor));
  if (newcomer)
    throw impossible(`the anchor ${newcomer.fingerprint.slice(0, 16)} that was given is trusted by nobody yet`);
  assertNobodyLeft(current, bundle.issuerChain, now);
  const { issuerChain } = bundle;
  const files = { ...encodeBundle(bundle), anchors: before.files.anchors };
  const after: Stage = { files, anchors: before.anchors, issuerChain };
  return { stages: { before, after }, root, newRootKey: undefined, remarks: [] };
}

/** Who holds one anchor alone under which calls work today must verify the new chain, too. */
function assertNobodyLeft(current: CurrentBundle, chain: readonly [Certificate, ...Certificate[]], at: Date): void {
  const left = workingAnchors(current, at).find((anchor) => !verifyLeafOf(chain, { anchors: [anchor], at }).ok);
  if (left) throw impossible(`who holds only the anchor ${left.fingerprint.slice(0, 16)} would not verify it`);
}

async function makeSameKey(current: CurrentBundle, options: MaterialOptions): Promise<Material> {
  const { request, now } = options;
  if (request.kind === 'own') return adoptOnSameKey(current, request.bundle, now);
  if (request.kind !== 'private-key' || !findRootOf(current, request.rootKey))
    throw impossible('it needs the key of the running root (--private-key)');
  const renewal = await makeRenewal(current, {
    ...options,
    request: { kind: 'private-key', rootKey: request.rootKey, procedure: undefined },
  });
  const { bundle, root, remarks } = renewal;
  const [issuer] = bundle.issuerChain;
  return {
    ...stagesToward(current, bundle.issuerChain, { ...bundle, anchors: [root], issuerChain: [issuer] }),
    root,
    newRootKey: undefined,
    remarks,
  };
}

/** Own files whose root bears key and name of one that is trusted: either root verifies what the other signed. */
function adoptOnSameKey(current: CurrentBundle, bundle: TrustBundle, now: Date): Material {
  const root = rootOf(bundle, now);
  const onItsKey = current.visibleAnchors.filter(({ publicKey }) => hasSameKey(publicKey, root.publicKey));
  if (onItsKey.length === 0) throw impossible('the root that was given is not on the key of the running one');
  if (!onItsKey.some(({ detail }) => detail.subjectDer.equals(root.detail.subjectDer)))
    throw impossible(
      'the root that was given is on the key of the running one, but its name is written in other bytes, and to Go that is another name',
    );
  assertNobodyLeft(current, bundle.issuerChain, now);
  return { ...stagesToward(current, bundle.issuerChain, bundle), root, newRootKey: undefined, remarks: [] };
}

async function makeBridge(current: CurrentBundle, options: MaterialOptions): Promise<Material> {
  const { daprVersion, request } = options;
  if (request.kind === 'own') throw impossible('certificates of your own are not cross-signed');
  if (!daprVersion) throw impossible('the Dapr version is not known, and a bridge is proven on 1.11 to 1.18');
  if (!isBridgeProven(daprVersion))
    throw impossible(`a bridge is not proven on Dapr ${daprVersion.major}.${daprVersion.minor}`);
  const { bundle, root, rootKey, remarks } = await makeRenewal(current, {
    ...options,
    request: newRootRequest(current, request, 'bridge'),
  });
  const [issuer] = bundle.issuerChain;
  return {
    ...stagesToward(current, bundle.issuerChain, { ...bundle, anchors: [root], issuerChain: [issuer] }),
    root,
    newRootKey: madeKey(request, rootKey),
    remarks,
  };
}

async function makeNewRoot(
  procedure: 'staged' | 'replace',
  current: CurrentBundle,
  options: MaterialOptions,
): Promise<Material> {
  const { request, now } = options;
  const before = stageBefore(current);
  if (procedure === 'staged' && (!before || current.refusal !== undefined))
    throw impossible(`Sentry does not run on the old bundle (${current.refusal ?? 'a file is missing'})`);
  const made = await makeRenewal(current, {
    ...options,
    request: request.kind === 'own' ? request : newRootRequest(current, request, 'replace'),
  });
  const { bundle, remarks } = made;
  const root = request.kind === 'own' ? rootOf(bundle, now) : made.root;
  const { stages } = stagesToward(current, bundle.issuerChain, bundle);
  const newRootKey = madeKey(request, made.rootKey);
  if (procedure === 'staged') return { stages, root, newRootKey, remarks };
  // Old anchors are of use only while somebody's certificates verify under them.
  const switched = workingAnchors(current, now).length > 0 ? stages.switched : stages.after;
  return { stages: { ...stages, ...(switched ? { switched } : {}) }, root, newRootKey, remarks };
}

/** Of own files that were accepted. */
function rootOf({ anchors, issuerChain }: TrustBundle, now: Date): Certificate {
  const root = findRoot(anchors, issuerChain) ?? verifyLeafOf(issuerChain, { anchors, at: now }).chains[0]?.at(-1);
  if (!root) throw impossible('the issuer that was given hangs on none of the anchors that were given');
  return root;
}

/** A key that is the running root's own makes no other root: then a fresh one is taken. */
function newRootRequest(
  current: CurrentBundle,
  request: Exclude<RotationRequest, { kind: 'own' }>,
  procedure: 'bridge' | 'replace',
) {
  return request.kind === 'private-key' && !findRootOf(current, request.rootKey)
    ? { ...request, procedure }
    : { kind: 'fresh' as const, procedure };
}

/** Who has given a key has it; any other one is lost unless it is kept. */
function madeKey(request: RotationRequest, rootKey: KeyObject | undefined): KeyObject | undefined {
  const isGiven =
    request.kind === 'private-key' && rootKey && hasSameKey(publicKeyOf(rootKey), publicKeyOf(request.rootKey));
  return isGiven ? undefined : rootKey;
}

function retireOnly(current: CurrentBundle, now: Date): Material {
  const before = stageBefore(current);
  const { root } = current;
  if (!before || !root || current.refusal !== undefined)
    throw impossible(`Sentry does not run on the bundle (${current.refusal ?? 'a file is missing'})`);
  const [issuer] = before.issuerChain;
  // An intermediate authority stays; a bridge goes.
  const issuerChain = verifyLeafOf([issuer], { anchors: [root], at: now }).ok
    ? ([issuer] as const)
    : before.issuerChain;
  const after: Stage = {
    files: {
      anchors: encodeCertificates([root]),
      issuerChain:
        issuerChain.length === before.issuerChain.length ? before.files.issuerChain : encodeCertificates(issuerChain),
      issuerKey: before.files.issuerKey,
    },
    anchors: [root],
    issuerChain,
  };
  // Sentry leaves out a self-signed one at the end by itself.
  const shown = before.issuerChain.filter((link) => whyNotSigned(link, link) !== undefined);
  if (before.anchors.length === 1 && issuerChain.length >= shown.length)
    throw impossible('nothing stands beside the root: there is nothing to retire');
  return { stages: { before, after }, root, newRootKey: undefined, remarks: [] };
}

/**
 * The stages from the old bundle to the new one: both anchors under the old issuer, both under the new
 * chain, then only what is needed in the end.
 */
function stagesToward(
  current: CurrentBundle,
  switchedChain: readonly [Certificate, ...Certificate[]],
  final: TrustBundle,
): { readonly stages: Stages } {
  const before = stageBefore(current);
  const files = encodeBundle(final);
  const anchors = union(final.anchors, current.liveAnchors);
  const superset = encodeCertificates(anchors);
  const after: Stage = { files, anchors: final.anchors, issuerChain: final.issuerChain };
  const switched: Stage = {
    files: { ...files, anchors: superset, issuerChain: encodeCertificates(switchedChain) },
    anchors,
    issuerChain: switchedChain,
  };
  if (!before) return { stages: { switched, after } };
  const bothAnchors: Stage = {
    files: { ...before.files, anchors: superset },
    anchors,
    issuerChain: before.issuerChain,
  };
  return { stages: { before, 'both-anchors': bothAnchors, switched, after } };
}

/** The old bundle byte for byte; undefined where a file of it is missing or holds no certificate. */
function stageBefore({ files, issuerChain, visibleAnchors }: CurrentBundle): Stage | undefined {
  const { anchors, issuerChain: chainBytes, issuerKey } = files;
  const [issuer, ...rest] = issuerChain;
  if (!anchors || !chainBytes || !issuerKey || !issuer) return undefined;
  return {
    files: { anchors, issuerChain: chainBytes, issuerKey },
    anchors: visibleAnchors,
    issuerChain: [issuer, ...rest],
  };
}

function union(first: readonly Certificate[], second: readonly Certificate[]): Certificate[] {
  const known = new Set(first.map(({ fingerprint }) => fingerprint));
  return [...first, ...second.filter(({ fingerprint }) => !known.has(fingerprint))];
}

function isAmong(anchors: readonly Certificate[], { fingerprint }: Certificate): boolean {
  return anchors.some((anchor) => anchor.fingerprint === fingerprint);
}

function impossible(reason: string): DaprMtlsError {
  return new DaprMtlsError('trust.impossible', {
    message: reason,
    hint: 'Leave --procedure out: `dapr-mtls rotate plan` takes the gentlest way that holds, and says why.',
  });
}
