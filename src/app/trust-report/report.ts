import type { Severity } from '../../pki/rules/finding.ts';
import type { AuditReport } from '../audit/report.ts';
import type { CheckReport } from '../check/check.ts';
import type { ClusterReport } from '../cluster-report.ts';
import type { ClusterFailure, ClusterResult, ClustersReport } from '../clusters/report.ts';
import type { ConfigurationReport } from '../configuration/report.ts';
import type { ExpiryReport } from '../expiry.ts';
import type { InspectReport } from '../inspect.ts';
import type { ObservedFinding } from '../observation/observation.ts';
import type { Document } from '../report.ts';
import type { Holding } from './holdings.ts';
import type { Refusal } from './input.ts';

/** All that is known of the trust of one or many places: what the page of `mtls report` is made from. */
export interface TrustReport extends Document<'TrustReport'> {
  readonly at: string;
  readonly result: ClusterResult['result'];
  /** All of it in a sentence. */
  readonly verdict: string;
  readonly summary: ClustersReport['summary'];
  /** The worst first. */
  readonly sites: readonly SiteReport[];
}

/** One directory or one cluster. The parts are what the commands of the same names write with `--format json`. */
export interface SiteReport {
  readonly name: string;
  readonly kind: 'directory' | 'cluster';
  readonly cluster: ClusterReport | null;
  /** error: it was looked at and is broken; failed: it could not be looked at. */
  readonly result: ClusterResult['result'];
  readonly verdict: string;
  /** What this place alone would lead to. */
  readonly exitCode: number;
  /** Those of `check`, and of the audit one for each state. */
  readonly findings: readonly ObservedFinding[];
  readonly summary: Readonly<Record<Severity, number>>;
  /** Null where there is no root to tell the end of. */
  readonly expiry: ExpiryReport | null;
  readonly inspect: InspectReport | null;
  readonly check: CheckReport | null;
  readonly audit: AuditReport | null;
  /** Who holds which anchors, the gravest first. */
  readonly holdings: readonly Holding[];
  readonly configuration: ConfigurationReport | null;
  readonly unread: readonly UnreadPart[];
  readonly error: ClusterFailure | null;
}

/** What this user could not look at. */
export interface UnreadPart extends Refusal {
  /** bundle: the Secret, and with it all that `check` judges. issuer: shown neither by the Secret nor by Sentry. */
  readonly part: 'bundle' | 'issuer' | 'sidecars' | 'settings';
}
