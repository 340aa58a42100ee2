import { DaprMtlsError } from '../../errors.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { type DaprVersion, isAtLeast } from '../../pki/rules/context.ts';
import { isBridgeProven } from '../renew/bridge.ts';
import { type CurrentBundle, workingAnchors } from '../renew/current.ts';
import { collectVersions, nameVersion, type SidecarVersions } from './dapr-versions.ts';
import { phasesOf } from './phases.ts';
import { isProven, type Pair, type Proof, provePhases, unforeseenPairs } from './proof.ts';
import type { Drain, Phase, Procedure } from './record.ts';
import { findRootOf, type Material, type MaterialOptions, makeStages } from './stages.ts';
import type { World } from './world.ts';

export interface RotationWish extends MaterialOptions {
  /** Undefined: the gentlest that holds. */
  readonly procedure: Procedure | undefined;
  /** Undefined: wait, unless something ends before. */
  readonly drain: Drain | undefined;
  readonly workloadCertTtlMs: number;
  /** NAMESPACE/NAME. */
  readonly skipped: readonly string[];
  /** What people say that runs there; it counts for sidecars that do not tell. */
  readonly statedVersion?: DaprVersion | undefined;
}

export interface RotationPlan {
  readonly procedure: Procedure;
  /** Why calls fail now; undefined where they work. */
  readonly emergency: string | undefined;
  /** Why no gentler procedure was taken, in whole sentences. */
  readonly reasons: readonly string[];
  readonly phases: readonly Phase[];
  readonly material: Material;
  readonly proof: Proof;
  readonly drain: Drain;
  /** Dapr up to 1.11 takes part: its sidecars show the issuer's certificate that they were born with. */
  readonly keepsIssuers: boolean;
  /** SHA-256 of the anchors that every verifier has to hold before the next step is safe. */
  readonly needed: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Picks the gentlest procedure whose every pair verifies, makes its certificates in memory, and proves
 * it against the world as it is. Nothing is written.
 * @throws DaprMtlsError `rotation.unsafe` where a procedure that was asked for, or every one, would break
 *   a pair that is whole now; `trust.impossible` where one cannot be made
 */
export async function planRotation(
  current: CurrentBundle,
  world: Pick<World, 'sidecars'>,
  wish: RotationWish,
): Promise<RotationPlan> {
  const emergency = whyCallsFail(current, wish.now);
  if (wish.procedure === 'replace' && emergency === undefined) throw needless();
  const reasons: string[] = [];
  for (const procedure of wish.procedure ? [wish.procedure] : candidatesFor(current, wish, emergency)) {
    if (procedure === 'replace' && !wish.procedure) assertNothingToMend(current, wish.now);
    const attempt = await tryProcedure(procedure, current, world, wish);
    if (attempt.ok) return { ...attempt.plan, emergency, reasons: [...reasons, ...attempt.plan.material.remarks] };
    if (wish.procedure) throw attempt.error;
    reasons.push(`Not ${procedure}: ${attempt.error.message}.`);
  }
  throw new DaprMtlsError('rotation.unsafe', {
    message: `no procedure holds. ${reasons.join(' ')}`,
    hint: 'Judge the bundle first: `dapr-mtls check`. What leaves nobody behind needs a bundle on which calls work.',
  });
}

/** Undefined where Sentry runs on the bundle and somebody verifies what it signs. */
function whyCallsFail(current: CurrentBundle, at: Date): string | undefined {
  if (current.refusal !== undefined) return `Sentry does not run on this bundle: ${current.refusal}`;
  if (workingAnchors(current, at).length > 0) return undefined;
  return 'nobody verifies the certificates of this issuer';
}

/**
 * A file that Sentry refuses may be mended, and as long as certificates verify calls go on: to replace
 * everything is nothing to begin unasked.
 */
function assertNothingToMend(current: CurrentBundle, at: Date): void {
  if (current.refusal === undefined || workingAnchors(current, at).length === 0) return;
  throw new DaprMtlsError('rotation.unsafe', {
    message: `Sentry does not run on this bundle (${current.refusal}), but its certificates verify still: a rotation would cut off who works`,
    hint: 'Mend the bundle first: `dapr-mtls check` names what is wrong, `dapr-mtls backup list` the copies. To replace everything all the same: --procedure replace.',
  });
}

/** The gentlest first. */
function candidatesFor(current: CurrentBundle, wish: RotationWish, emergency: string | undefined): Procedure[] {
  const last: Procedure[] = emergency === undefined ? ['bridge', 'staged'] : ['replace'];
  const { request, now, issuerValidMs } = wish;
  if (request.kind === 'own') return ['same-root', 'same-key', ...last.filter((procedure) => procedure !== 'bridge')];
  const root = request.kind === 'private-key' ? findRootOf(current, request.rootKey) : undefined;
  if (!root) return last;
  // An issuer ends with its root at the latest: a root that ends before is renewed with it.
  const isLongLived = root.notAfter.getTime() >= now.getTime() + issuerValidMs;
  return isLongLived ? ['same-root', 'same-key', ...last] : ['same-key', 'same-root', ...last];
}

type Attempt =
  | { readonly ok: true; readonly plan: Omit<RotationPlan, 'emergency' | 'reasons'> }
  | { readonly ok: false; readonly error: DaprMtlsError };

async function tryProcedure(
  procedure: Procedure,
  current: CurrentBundle,
  world: Pick<World, 'sidecars'>,
  wish: RotationWish,
): Promise<Attempt> {
  const versions = collectVersions(world.sidecars ?? [], wish.skipped, wish.statedVersion);
  const reason = procedure === 'bridge' ? whyNotBridged(versions) : undefined;
  if (reason !== undefined) return { ok: false, error: impossible(reason) };
  const keepsIssuers = keepIssuers(wish) || versions.told.some(({ version }) => keepIssuers({ daprVersion: version }));
  let material: Material;
  try {
    material = await makeStages(procedure, current, { ...wish, oldestDaprd: versions.told[0]?.version });
  } catch (error) {
    if (!(error instanceof DaprMtlsError) || error.code !== 'trust.impossible') throw error;
    return { ok: false, error };
  }
  const needed = procedure === 'same-root' ? [] : (material.stages.after?.anchors ?? []).map(fingerprintOf);
  const prove = (drain: Drain) => {
    const phases = phasesOf(procedure, drain, material.stages);
    const due = phases.map((phase) => ({ ...phase, status: 'due' as const }));
    const { stages } = material;
    const proof = provePhases({ phases: due, stages, world, needed, skipped: wish.skipped, at: wish.now });
    return { phases, proof };
  };
  const usual = wish.drain ?? (keepsIssuers ? 'restart' : 'wait');
  const patient = prove(usual);
  const isTooSlow =
    wish.drain === undefined &&
    usual === 'wait' &&
    patient.phases.length > 1 &&
    endsBefore(patient.proof, drainMs(wish), wish.now);
  const { phases, proof } = isTooSlow ? prove('restart') : patient;
  if (!isProven(proof)) return { ok: false, error: unsafe(procedure, proof) };
  return {
    ok: true,
    plan: {
      procedure,
      phases,
      material,
      proof,
      drain: isTooSlow ? 'restart' : usual,
      keepsIssuers,
      needed,
      warnings: [
        ...warningsOf(proof, isTooSlow, wish),
        ...(keepsIssuers ? warnOfKeptIssuers(procedure, current) : warnOfUntold(versions)),
      ],
    },
  };
}

function fingerprintOf({ fingerprint }: Certificate): string {
  return fingerprint;
}

/**
 * Up to 1.11 a sidecar shows Sentry the issuer's certificate that it was born with whenever it asks for a
 * new one, so that an issuer is needed for as long as a pod that was born under it lives.
 */
export function keepIssuers({ daprVersion }: Pick<RotationWish, 'daprVersion'>): boolean {
  return daprVersion !== undefined && !isAtLeast(daprVersion, 1, 12);
}

/** A bridge is verified by every sidecar, and has been seen to hold on some releases only. */
function whyNotBridged({ told, untold }: SidecarVersions): string | undefined {
  const outside = told.find(({ version }) => !isBridgeProven(version));
  if (outside)
    return `a bridge is proven on Dapr 1.11 to 1.18, and daprd is ${nameVersion(outside.version)} in ${nameSome(outside.workloads)}`;
  if (untold.length === 0) return undefined;
  return `a bridge is proven on Dapr 1.11 to 1.18, and it is not known which daprd runs in ${nameSome(untold)} (--dapr-version tells it)`;
}

function warnOfUntold({ untold }: SidecarVersions): string[] {
  if (untold.length === 0) return [];
  return [
    `It is not known which daprd runs in ${nameSome(untold)}: tell it with --dapr-version. Up to 1.11 a sidecar keeps the issuer's certificate that it was born with, and --drain restart is needed.`,
  ];
}

function warnOfKeptIssuers(procedure: Procedure, { issuerChain }: CurrentBundle): string[] {
  const [issuer] = issuerChain;
  const end = issuer ? `, at ${issuer.notAfter.toISOString().slice(0, 16)}Z` : '';
  if (procedure === 'same-root') {
    return [
      `Up to Dapr 1.11 sidecars keep the issuer's certificate that they were born with: restart every workload before the old one ends${end}.`,
    ];
  }
  return [
    "Up to Dapr 1.11 sidecars keep the issuer's certificate that they were born with: the old anchor stays until every workload was restarted after the switch.",
  ];
}

/** How long a certificate of the old issuer may live after it was signed (dapr-facts, section 4). */
function drainMs({ workloadCertTtlMs, allowedClockSkewMs }: RotationWish): number {
  return workloadCertTtlMs + allowedClockSkewMs;
}

function endsBefore({ deadline }: Proof, ms: number, now: Date): boolean {
  return deadline !== undefined && deadline.getTime() < now.getTime() + ms;
}

function warningsOf(proof: Proof, isTooSlow: boolean, wish: RotationWish): string[] {
  const { deadline, cutOff } = proof;
  const warnings: string[] = [];
  if (deadline && endsBefore(proof, Math.max(drainMs(wish), dayMs), wish.now)) {
    warnings.push(
      `All of it has to be through by ${deadline.toISOString().slice(0, 16)}Z: then the first certificate ends that somebody still needs.`,
    );
  }
  if (isTooSlow)
    warnings.push('Old certificates outlive that moment, so everybody is restarted a second time instead.');
  if (cutOff.length > 0)
    warnings.push(`Cut off already, before anything is begun: ${nameSome(cutOff)}. A restart brings them back.`);
  return warnings;
}

const dayMs = 86_400_000;

/** @param mend where no restart of a workload is one */
export function unsafe(
  what: string,
  proof: Pick<Proof, 'pairs' | 'refusals'>,
  mend = 'Leave --procedure out: `dapr-mtls rotate plan` takes the gentlest way that holds, and says why.',
): DaprMtlsError {
  const [refusal] = proof.refusals;
  const [pair] = unforeseenPairs(proof);
  const because = refusal ? `Sentry would refuse the bundle: ${refusal.reason}` : pair ? describeBroken(pair) : '';
  return new DaprMtlsError('rotation.unsafe', {
    message: `${what} would lose calls: ${because}`,
    hint:
      !refusal && pair?.workloads.length
        ? 'Restart those workloads, so that they take the anchors of today, and run the command again.'
        : mend,
  });
}

function describeBroken({ holder, workloads, shown, reason }: Pair): string {
  const who = workloads.length > 0 ? `${nameSome(workloads)} (${holder})` : `who holds ${holder}`;
  return `${who} would not verify ${shown}: ${reason}`;
}

/** A cluster has hundreds, and a line has room for some. */
export function nameSome(names: readonly string[], limit = 5): string {
  const more = names.length - limit;
  return `${names.slice(0, limit).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function impossible(reason: string): DaprMtlsError {
  return new DaprMtlsError('trust.impossible', {
    message: reason,
    hint: 'Leave --procedure out: `dapr-mtls rotate plan` takes the gentlest way that holds, and says why.',
  });
}

function needless(): DaprMtlsError {
  return new DaprMtlsError('rotation.unsafe', {
    message: 'calls work today, and replacing everything at once would lose them',
    hint: 'Leave --procedure out. If the old root is in wrong hands and lost calls are the lesser evil: `dapr-mtls renew-certificate --procedure replace`.',
  });
}
