import type { BundlePart, BundleReading } from '../reading.ts';

/** All that judging needs, gathered before: the judges do no I/O and read no clock. */
export interface RuleContext {
  readonly reading: BundleReading;
  /** How the parts are called where they live. */
  readonly names: Readonly<Record<BundlePart, string>>;
  readonly at: Date;
  /** Certificates that end within this time are worth a warning. */
  readonly warnBeforeMs: number;
  /** Undefined where it is not known. */
  readonly daprVersion: DaprVersion | undefined;
  readonly workloadCertTtlMs: number;
  readonly allowedClockSkewMs: number;
  /** What a command of ours needs to work on the same store: ` -k`, or nothing. */
  readonly wayToStore: string;
}

/** A command line that stands in a mend and leads to the store that was judged. */
export function mendingCommand({ wayToStore }: Pick<RuleContext, 'wayToStore'>, words: string): string {
  return `\`dapr-mtls ${words}${wayToStore}\``;
}

export interface DaprVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** Reads `1.17`, `v1.17.3` or `1.9.0-mariner`; undefined for anything else. */
export function parseDaprVersion(text: string): DaprVersion | undefined {
  const match = /^v?(\d+)\.(\d+)(?:\.(\d+))?(?:[-+].*)?$/.exec(text.trim());
  return match ? { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3] ?? 0) } : undefined;
}

export function isAtLeast(version: DaprVersion, major: number, minor: number, patch = 0): boolean {
  if (version.major !== major) return version.major > major;
  if (version.minor !== minor) return version.minor > minor;
  return version.patch >= patch;
}
