import type { ClusterReport } from '../cluster-report.ts';
import type { Document } from '../report.ts';

export interface ProbeReport extends Document<'Probe'> {
  readonly cluster: ClusterReport;
  readonly at: string;
  /** Where the next pod would be made. */
  readonly namespace: string;
  readonly verdict: ProbeVerdict;
  /** The verdict for people, with its reason. */
  readonly sentence: string;
  readonly checks: readonly ProbeCheck[];
  /** What the sidecar of the next pod would hold; empty where that is not known. */
  readonly anchors: readonly ProbedAnchor[];
  /** False: sidecars do not use their certificates. Null: not known. */
  readonly mtlsEnabled: boolean | null;
}

/** works: the next pod will get working trust. broken: it will not. unknown: nobody may look, or there was no issuer to look by. */
export type ProbeVerdict = 'works' | 'broken' | 'unknown';

export interface ProbeCheck {
  readonly name: CheckName;
  /** warning: it works now, and something will break it. */
  readonly state: CheckState;
  readonly reason: string;
  /** The mend; null where there is nothing to mend. */
  readonly hint: string | null;
}

/**
 * injection: does a pod get a sidecar. anchors: does what the sidecar is given carry the issuer in use.
 * webhook: does the API server trust the injector. sentry: does the running Sentry show a certificate
 * that the sidecar would take. bundle: are Secret and ConfigMap one bundle.
 */
export type CheckName = 'injection' | 'anchors' | 'webhook' | 'sentry' | 'bundle';
export type CheckState = 'ok' | 'warning' | 'failed' | 'not-checked';

export interface ProbedAnchor {
  readonly fingerprint: string;
  readonly subject: string;
  readonly notAfter: string;
}
