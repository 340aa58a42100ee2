import type { ClusterReport } from '../cluster-report.ts';
import type { Document } from '../report.ts';
import type { RootKeyReport } from '../root-key.ts';

export interface InitClusterReport extends Document<'InitCluster'> {
  readonly cluster: ClusterReport;
  /** installed: the chart, too. laid: the bundle alone (--trust-only). */
  readonly outcome: 'installed' | 'laid';
  /** made: new certificates. own: those that were given. kept: an interrupted run had laid them. */
  readonly bundle: 'made' | 'own' | 'kept';
  /** The end of the root. */
  readonly validUntil: string;
  readonly trustDomain: string;
  readonly objects: readonly LaidObjectReport[];
  readonly rootKey: RootKeyReport | null;
  /** Null where the chart was left to somebody else. */
  readonly chart: ChartReport | null;
  /** What this user may not look at, so that it was not ruled out that Dapr is there. */
  readonly notChecked: readonly string[];
  readonly remarks: readonly string[];
  /** The command to type next. */
  readonly next: string;
}

export interface LaidObjectReport {
  readonly kind: 'Namespace' | 'Secret' | 'ConfigMap';
  readonly name: string;
  readonly action: 'created' | 'filled' | 'kept';
}

export interface ChartReport {
  readonly by: 'dapr' | 'helm';
  /** As people would type it. */
  readonly command: string;
}
