import type { ClusterReport } from '../cluster-report.ts';
import type { Document } from '../report.ts';
import type { AnchorVerdict, SidecarState } from './judge-anchors.ts';
import type { ReferenceFiles } from './reference.ts';

export interface AuditReport extends Document<'Audit'> {
  readonly cluster: ClusterReport;
  readonly at: string;
  readonly against: AgainstReport;
  readonly scope: AuditScope;
  readonly totals: Counts & { readonly workloads: number };
  /** Each distinct verdict once, the gravest first. */
  readonly anchorSets: readonly (AnchorVerdict & { readonly sidecars: number })[];
  /** The gravest first. */
  readonly workloads: readonly WorkloadAudit[];
  readonly sidecars: readonly SidecarAudit[];
}

export interface AgainstReport {
  readonly kind: ReferenceFiles['kind'];
  readonly name: string;
  /** The fingerprint of the issuer in use; null where it is not known. */
  readonly issuer: string | null;
  /** Only where the Secret may not be read and Sentry did not tell its issuer: why. */
  readonly issuerUnread?: string;
  /** Why even a sidecar with all these anchors would verify nothing; null where that is well. */
  readonly problem: string | null;
  /** Only where it is so: why a pod that is re-created now would not hold these anchors, or verify nobody by them. */
  readonly conflict?: string;
  readonly anchors: readonly AuditedAnchor[];
}

export interface AuditedAnchor {
  /** root: its key signed the issuer in use. */
  readonly role: 'root' | 'anchor';
  readonly needed: boolean;
  readonly fingerprint: string;
  readonly subject: string;
  readonly notAfter: string;
  /** So many sidecars were born with it. */
  readonly heldBy: number;
}

export interface AuditScope {
  /** Null: all namespaces. */
  readonly namespace: string | null;
  /** labelled: the pods that the injector has marked, as it does from Dapr 1.11 on. all: every pod with a daprd. */
  readonly pods: 'labelled' | 'all';
}

export type Counts = Readonly<Record<SidecarState, number>> & { readonly sidecars: number };

export interface WorkloadAudit extends Counts {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  /** The gravest of its sidecars'. */
  readonly state: SidecarState;
  readonly reason: string | null;
}

export interface SidecarAudit {
  readonly namespace: string;
  readonly pod: string;
  readonly workload: { readonly kind: string; readonly name: string };
  readonly appId: string | null;
  readonly daprVersion: string | null;
  readonly terminating: boolean;
  readonly state: SidecarState;
  /** SHA-256 of each anchor that it was born with. */
  readonly anchors: readonly string[];
}
