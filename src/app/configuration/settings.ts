/** What matters of `spec.mtls` (dapr.io/v1alpha1 Configuration). */
export interface MtlsSettings {
  readonly enabled: boolean;
  readonly workloadCertTtlMs: number;
  readonly allowedClockSkewMs: number;
  /** Undefined where the Configuration does not say. */
  readonly trustDomain: string | undefined;
}

/** Sentry's defaults (pkg/sentry/config). */
export const defaultSettings: MtlsSettings = {
  enabled: true,
  workloadCertTtlMs: 24 * 3_600_000,
  allowedClockSkewMs: 15 * 60_000,
  trustDomain: undefined,
};

export const defaultTrustDomain = 'cluster.local';
