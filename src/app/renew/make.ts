import type { KeyObject } from 'node:crypto';
import { DaprMtlsError } from '../../errors.ts';
import type { TrustBundle } from '../../pki/bundle.ts';
import { type Certificate, hasSameKey } from '../../pki/certificate.ts';
import { verifyLeafOf, whyNotSigned } from '../../pki/chain.ts';
import { type Authority, type IssueContext, issueIssuer, issueRoot, renewRoot } from '../../pki/issue.ts';
import { publicKeyOf } from '../../pki/keys.ts';
import { buildBridge, isBridgeProven, withoutExpired } from './bridge.ts';
import { type CurrentBundle, workingAnchors } from './current.ts';
import type { Renewal, RenewOptions, RenewRequest } from './renewal.ts';

/**
 * Makes the bundle that a renewal leads to, by the gentlest way that holds. Nothing is written.
 * @throws DaprMtlsError `trust.impossible`
 */
export async function makeRenewal(current: CurrentBundle, options: RenewOptions): Promise<Renewal> {
  const { request } = options;
  if (request.kind === 'own') return fromOwnBundle(current, request.bundle, options.now);
  const oldRoot = request.kind === 'private-key' ? findByKey(current, request.rootKey) : undefined;
  if (request.kind === 'private-key' && oldRoot) {
    assertNoProcedure(request.procedure);
    return renewSameKey(current, oldRoot, request.rootKey, options);
  }
  return makeNewRoot(current, request, options);
}

function assertNoProcedure(procedure: string | undefined): void {
  if (procedure === undefined) return;
  throw new DaprMtlsError('usage.invalid', {
    message: `--procedure ${procedure} makes a new root, and --private-key is the key of a root that is trusted already`,
    hint: 'Leave --procedure out to renew that root. If its key is in wrong hands, leave --private-key out and say --procedure replace.',
  });
}

function fromOwnBundle(current: CurrentBundle, bundle: TrustBundle, at: Date): Renewal {
  const root = verifyLeafOf(bundle.issuerChain, { anchors: bundle.anchors, at }).chains[0]?.at(-1) ?? bundle.anchors[0];
  if (!root) throw new Error('an accepted bundle has an anchor');
  const cutOff = workingAnchors(current, at).filter(
    (anchor) => !verifyLeafOf(bundle.issuerChain, { anchors: [anchor], at }).ok,
  );
  const procedure = cutOff.length === 0 && current.refusal === undefined ? 'same-root' : 'replace';
  return { procedure, bundle, root, rootKey: undefined, remarks: [] };
}

/** The anchor that the key belongs to; the one the issuer hangs on, where several fit. */
function findByKey({ root, liveAnchors }: CurrentBundle, key: KeyObject): Certificate | undefined {
  const isOf = (certificate: Certificate) => hasSameKey(publicKeyOf(key), certificate.publicKey);
  if (root && isOf(root)) return root;
  return liveAnchors.find(isOf);
}

async function renewSameKey(
  current: CurrentBundle,
  oldRoot: Certificate,
  key: KeyObject,
  options: RenewOptions,
): Promise<Renewal> {
  const context = issueContext(options);
  const root = await renewRoot(oldRoot, key, after(options.now, options.rootValidMs), context);
  const issuer = await makeIssuer(root, options, context);
  const others = current.liveAnchors.filter((anchor) => !hasSameKey(anchor.publicKey, root.certificate.publicKey));
  const bundle: TrustBundle = {
    anchors: [root.certificate, ...others],
    issuerChain: [issuer.certificate, ...bridgesBehind(current, issuer.certificate, options.now)],
    issuerKey: issuer.key,
  };
  assertBothWays(current, oldRoot, bundle, options.now);
  const isShorter = root.certificate.notAfter < oldRoot.notAfter;
  const remarks = isShorter
    ? [`The new root ends before the old one would have (${oldRoot.notAfter.toISOString().slice(0, 10)}).`]
    : [];
  return { procedure: 'same-key', bundle, root: root.certificate, rootKey: key, remarks };
}

/**
 * A bridge certifies name and key of the root, and both stay: it goes on leading who holds only a
 * still older anchor to the new issuer.
 */
function bridgesBehind(current: CurrentBundle, issuer: Certificate, at: Date): Certificate[] {
  const tail = withoutExpired(current.issuerChain.slice(1), at);
  const [first] = tail;
  const isNeeded = workingAnchors(current, at).some((anchor) => !verifyLeafOf([issuer], { anchors: [anchor], at }).ok);
  return first && isNeeded && !whyNotSigned(issuer, first) ? tail : [];
}

/**
 * The promise of a renewal on the same key, proven before anything is written: who holds the old
 * root verifies new leaves, and who holds the new one verifies leaves of the old issuer.
 */
function assertBothWays(current: CurrentBundle, oldRoot: Certificate, bundle: TrustBundle, at: Date): void {
  const isOldLive = at >= oldRoot.notBefore && at <= oldRoot.notAfter;
  const forwards = !isOldLive || verifyLeafOf(bundle.issuerChain, { anchors: [oldRoot], at }).ok;
  const [oldIssuer, ...rest] = current.issuerChain;
  const worksToday =
    oldIssuer && workingAnchors(current, at).some((anchor) => anchor.fingerprint === oldRoot.fingerprint);
  const backwards = !worksToday || verifyLeafOf([oldIssuer, ...rest], { anchors: bundle.anchors, at }).ok;
  if (forwards && backwards) return;
  throw new DaprMtlsError('trust.impossible', {
    message: `the renewed root and ${oldRoot.subject} would not verify each other's certificates`,
    hint: 'Nothing was written. Renew without --private-key: the bridge keeps both sides talking where it holds.',
  });
}

type NewRootRequest = Exclude<RenewRequest, { kind: 'own' }>;

async function makeNewRoot(current: CurrentBundle, request: NewRootRequest, options: RenewOptions): Promise<Renewal> {
  const context = issueContext(options);
  const rootKey = request.kind === 'private-key' ? request.rootKey : options.newKey(options.keyType);
  const root = await issueRoot(rootKey, after(options.now, options.rootValidMs), context);
  const issuer = await makeIssuer(root, options, context);
  const remarks = request.kind === 'private-key' ? [remarkOnKey(current, root.certificate, options.now)] : [];
  const made = { root: root.certificate, rootKey };
  const obstacle = whyNotBridge(request, options);
  const bridge = obstacle
    ? { ok: false as const, reason: obstacle }
    : await buildBridge(current, root.certificate, issuer, options.now, context);
  if (bridge.ok) {
    const anchors = [root.certificate, ...bridge.keptAnchors];
    return {
      ...made,
      procedure: 'bridge',
      bundle: { anchors, issuerChain: bridge.issuerChain, issuerKey: issuer.key },
      remarks: [...remarks, ...warnOfVersion(current, request, options), ...bridge.remarks],
    };
  }
  if (request.procedure === 'bridge') {
    throw new DaprMtlsError('trust.impossible', {
      message: `a bridge is not possible: ${bridge.reason}`,
      hint: 'Leave --procedure out to replace the bundle whole, or renew with the root key: --private-key ROOT.KEY.',
    });
  }
  const asked = request.procedure === 'replace';
  return {
    ...made,
    procedure: 'replace',
    bundle: { anchors: [root.certificate], issuerChain: [issuer.certificate], issuerKey: issuer.key },
    remarks: asked ? remarks : [...remarks, `No bridge: ${bridge.reason}.`],
  };
}

/** A root that nobody can read any more is known by the issuer that it has signed. */
function remarkOnKey({ issuerChain: [issuer, ...rest] }: CurrentBundle, root: Certificate, at: Date): string {
  return issuer && verifyLeafOf([issuer, ...rest], { anchors: [root], at }).ok
    ? 'The key that was given is that of the root that signed the old issuer, and which is not among the anchors: this makes that root anew.'
    : "The key that was given is not the running root's: this makes a new root.";
}

function whyNotBridge(request: NewRootRequest, { daprVersion }: RenewOptions): string | undefined {
  if (request.procedure === 'replace') return '--procedure replace was given';
  if (request.procedure === 'bridge') return undefined;
  if (!daprVersion || isBridgeProven(daprVersion)) return undefined;
  return `it is not proven on Dapr ${daprVersion.major}.${daprVersion.minor} (--procedure bridge insists)`;
}

/** In a cluster the version is there to be read: where it was not, somebody has to look. */
function warnOfVersion(
  { kind }: CurrentBundle,
  { procedure }: NewRootRequest,
  { daprVersion }: RenewOptions,
): string[] {
  if (kind === 'directory' || procedure === 'bridge' || daprVersion) return [];
  return [
    'Warning: which version of Dapr runs there is not known, and a bridge is proven on 1.11 to 1.18 only. Say --dapr-version VERSION, and it is made where it holds.',
  ];
}

function makeIssuer(
  root: Authority,
  { now, issuerValidMs, newKey, keyType, issuerPathLength }: RenewOptions,
  context: IssueContext,
): Promise<Authority> {
  return issueIssuer(root, newKey(keyType), after(now, issuerValidMs), context, issuerPathLength);
}

export function issueContext({
  now,
  allowedClockSkewMs,
  trustDomain,
  newSerial,
}: Pick<RenewOptions, 'now' | 'allowedClockSkewMs' | 'trustDomain' | 'newSerial'>): IssueContext {
  return { trustDomain, notBefore: new Date(now.getTime() - allowedClockSkewMs), newSerial };
}

function after(now: Date, ms: number): Date {
  return new Date(now.getTime() + ms);
}
