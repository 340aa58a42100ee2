import { DaprMtlsError } from '../../errors.ts';
import type { Severity } from '../../pki/rules/finding.ts';
import { type CheckOptions, type CheckReport, checkBundle } from '../check/check.ts';
import { byGravity, type ClusterFailure, type ClusterResult } from '../clusters/report.ts';
import { type ExpiryReport, reportExpiry } from '../expiry.ts';
import { inspect } from '../inspect.ts';
import type { ObservedFinding } from '../observation/observation.ts';
import { document, formatInstant } from '../report.ts';
import { judgeSidecars, orderFindings } from './findings.ts';
import { collectHoldings } from './holdings.ts';
import type { Looked, LookedAtBundle, Refusal, TrustInput } from './input.ts';
import type { SiteReport, TrustReport, UnreadPart } from './report.ts';
import { tellSite, tellSites } from './verdict.ts';

export type FailOn = 'never' | 'warning' | 'error';

/** One directory or one cluster, as the commands judge it that look at a part of it. Pure. */
export function judgeSite(input: TrustInput, options: CheckOptions, failOn: FailOn): SiteReport {
  const { name, kind, cluster, store, files } = input;
  const bundle = foundIn(input.bundle);
  const audit = foundIn(input.sidecars);
  const configuration = foundIn(input.settings);
  const holdings = audit ? collectHoldings(audit) : [];
  const check = bundle && judgeBundle(bundle, options);
  const findings = orderFindings([
    ...((check ?? configuration)?.findings ?? []),
    ...(audit ? judgeSidecars(audit, holdings) : []),
  ]);
  const parts = {
    findings,
    summary: countFindings(findings),
    expiry: store ? tryExpiry(store, options) : null,
    inspect: files ? inspect({ ...files, at: options.at, warnBeforeMs: options.warnBeforeMs }) : null,
    check: check ?? null,
    audit: audit ?? null,
    holdings,
    configuration: configuration ?? null,
    unread: listUnread(input),
    error: null,
  };
  const result = resultOf(parts);
  return { name, kind, cluster, result, verdict: tellSite(parts), exitCode: exitCodeOf(result, failOn), ...parts };
}

/** A cluster that could not be looked at. */
export function describeFailedSite(name: string, exitCode: number, error: ClusterFailure): SiteReport {
  return {
    name,
    kind: 'cluster',
    cluster: null,
    result: 'failed',
    verdict: error.message,
    exitCode,
    findings: [],
    summary: countFindings([]),
    expiry: null,
    inspect: null,
    check: null,
    audit: null,
    holdings: [],
    configuration: null,
    unread: [],
    error,
  };
}

/** The worst first. Pure. */
export function uniteSites(sites: readonly SiteReport[], at: Date): TrustReport {
  const ranked = [...sites].sort((one, other) => byGravity(asCluster(one), asCluster(other)));
  const count = (...results: SiteReport['result'][]) => sites.filter(({ result }) => results.includes(result)).length;
  const summary = { well: count('well'), findings: count('warning', 'error'), failed: count('failed') };
  return document('TrustReport', {
    at: formatInstant(at),
    result: ranked[0]?.result ?? 'well',
    verdict: tellSites(ranked, summary),
    summary,
    sites: ranked,
  });
}

function asCluster({ name, result, exitCode }: SiteReport): Pick<ClusterResult, 'context' | 'result' | 'exitCode'> {
  return { context: name, result, exitCode };
}

function foundIn<Found>(looked: Looked<Found> | undefined): Found | undefined {
  return looked && 'found' in looked ? looked.found : undefined;
}

function judgeBundle(
  { stored, location, surroundings, daprVersion }: LookedAtBundle,
  options: CheckOptions,
): CheckReport {
  return checkBundle(stored, location, surroundings, { ...options, daprVersion: options.daprVersion ?? daprVersion });
}

/** Where no root can be told, `check` says why. */
function tryExpiry(
  { stored, location }: NonNullable<TrustInput['store']>,
  { at, warnBeforeMs }: CheckOptions,
): ExpiryReport | null {
  try {
    return reportExpiry(stored, location, at, warnBeforeMs);
  } catch (error) {
    if (error instanceof DaprMtlsError) return null;
    throw error;
  }
}

function listUnread(input: TrustInput): UnreadPart[] {
  const refusalOf = (looked: Looked<unknown> | undefined) =>
    looked && 'refusal' in looked ? looked.refusal : undefined;
  const issuer = input.store?.stored.unread?.issuerChain;
  const parts: [UnreadPart['part'], Refusal | undefined][] = [
    ['bundle', refusalOf(input.bundle)],
    ['issuer', issuer && { code: 'cluster.unreachable', message: issuer.reason, hint: issuer.hint }],
    ['sidecars', refusalOf(input.sidecars)],
    ['settings', refusalOf(input.settings)],
  ];
  return parts.flatMap(([part, refusal]) => {
    if (!refusal) return [];
    const { code, message, hint } = refusal;
    return [{ part, code, message, hint }];
  });
}

function countFindings(findings: readonly ObservedFinding[]): Record<Severity, number> {
  const count = (severity: Severity) => findings.filter((found) => found.severity === severity).length;
  return { error: count('error'), warning: count('warning'), info: count('info') };
}

/** What could not be looked at is not well: nobody knows. */
function resultOf({ summary, unread }: Pick<SiteReport, 'summary' | 'unread'>): SiteReport['result'] {
  if (summary.error > 0) return 'error';
  return summary.warning + unread.length > 0 ? 'warning' : 'well';
}

/** 10 where a place is at least as bad as asked. */
function exitCodeOf(result: SiteReport['result'], failOn: FailOn): number {
  if (failOn === 'never') return 0;
  return result === 'error' || (failOn === 'warning' && result === 'warning') ? 10 : 0;
}
