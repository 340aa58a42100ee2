/** An alerting rule of Prometheus. */
export interface Alert {
  readonly alert: string;
  readonly expr: string;
  /** How long it has to be so before anybody is told, as Prometheus writes lengths of time. */
  readonly for: string;
  readonly labels: { readonly severity: 'warning' | 'critical' };
  readonly annotations: {
    readonly summary: string;
    readonly description: string;
    /** What to type. */
    readonly runbook: string;
  };
}

/** When alerts are due, in seconds. */
export interface AlertThresholds {
  /** Root or issuer end within this time. */
  readonly warnBeforeSeconds: number;
  readonly criticalBeforeSeconds: number;
  /** Sidecars have been stale, or of unknown anchors, for so long. */
  readonly staleForSeconds: number;
  readonly brokenForSeconds: number;
  /** Nothing was read for so long. */
  readonly notReadForSeconds: number;
  /** Whether a watcher that was never there is missed, too. */
  readonly expectsWatcher: boolean;
  /** What the names of the CronJobs begin with. */
  readonly cronJobName: string;
}
