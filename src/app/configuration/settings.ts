import { parseGoDuration } from './duration.ts';
import { readTokenValidators, type TokenValidator } from './validators.ts';

/** What matters of `spec.mtls` (dapr.io/v1alpha1 Configuration). */
export interface MtlsSettings {
  readonly enabled: boolean;
  readonly workloadCertTtlMs: number;
  readonly allowedClockSkewMs: number;
  /** Undefined where the Configuration does not say. */
  readonly trustDomain: string | undefined;
  readonly tokenValidators: readonly TokenValidator[];
}

/** Sentry's defaults (pkg/sentry/config). */
export const defaultSettings: MtlsSettings = {
  enabled: true,
  workloadCertTtlMs: 24 * 3_600_000,
  allowedClockSkewMs: 15 * 60_000,
  trustDomain: undefined,
  tokenValidators: [],
};

export const defaultTrustDomain = 'cluster.local';

/** The settings by name, wherever they stand; what is missing or no duration leaves the default. */
export function collectSettings(get: (name: string) => unknown): MtlsSettings {
  const duration = (name: string, fallback: number) => {
    const value = get(name);
    return typeof value === 'string' ? (parseGoDuration(value) ?? fallback) : fallback;
  };
  const enabled = get('enabled');
  const trustDomain = get('controlPlaneTrustDomain');
  return {
    enabled: typeof enabled === 'boolean' ? enabled : defaultSettings.enabled,
    workloadCertTtlMs: duration('workloadCertTTL', defaultSettings.workloadCertTtlMs),
    allowedClockSkewMs: duration('allowedClockSkew', defaultSettings.allowedClockSkewMs),
    trustDomain: typeof trustDomain === 'string' && trustDomain !== '' ? trustDomain : undefined,
    tokenValidators: readTokenValidators(get('tokenValidators')),
  };
}
