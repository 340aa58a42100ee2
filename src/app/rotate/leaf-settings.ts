import { formatGoDuration } from '../configuration/duration.ts';
import type { MtlsSettings } from '../configuration/settings.ts';
import type { FormerLife, PhaseName, RotationSettings } from './record.ts';
import type { World } from './world.ts';

/** What Sentry is told of the certificates that it signs, and of who may ask for one. */
export interface LeafSettings {
  readonly workloadCertTtlMs: number;
  readonly allowedClockSkewMs: number;
  /** Clients that join with tokens of their own are in no audit (`tokenValidators`). */
  readonly hasExternalClients: boolean;
}

/** Who joins with a token of another issuer is no pod, and stands in no list. */
export function leafSettingsOf({ workloadCertTtlMs, allowedClockSkewMs, tokenValidators }: MtlsSettings): LeafSettings {
  return { workloadCertTtlMs, allowedClockSkewMs, hasExternalClients: tokenValidators.length > 0 };
}

/**
 * The settings as they are now, which people change while a rotation waits for days. What was in force before is
 * kept, because certificates of then live on; and clients that may have joined are never taken back. Pure.
 * @param phase that is under way
 * @returns what has become another, in words; the same settings where nothing has
 */
export function followSettings(
  settings: RotationSettings,
  { at, settings: seen }: Pick<World, 'at' | 'settings'>,
  phase: PhaseName | undefined,
): { readonly settings: RotationSettings; readonly changes: readonly string[] } {
  if (!seen) return { settings, changes: [] };
  const { workloadCertTtlMs, allowedClockSkewMs } = seen;
  const changes = [
    ...describeChange('workloadCertTTL', settings.workloadCertTtlMs, workloadCertTtlMs),
    ...describeChange('allowedClockSkew', settings.allowedClockSkewMs, allowedClockSkewMs),
  ];
  const former: FormerLife = {
    workloadCertTtlMs: settings.workloadCertTtlMs,
    allowedClockSkewMs: settings.allowedClockSkewMs,
    until: at.toISOString(),
  };
  const formerLives = [...(settings.formerLives ?? []), former];
  const life = changes.length > 0 && { workloadCertTtlMs, allowedClockSkewMs, formerLives };
  const isNew = seen.hasExternalClients && !settings.hasExternalClients;
  const clients = isNew && { hasExternalClients: true, ...(phase && { externalClientsSince: phase }) };
  if (isNew) changes.push('tokenValidators let clients in that are in no audit');
  return changes.length > 0 ? { settings: { ...settings, ...life, ...clients }, changes } : { settings, changes };
}

function describeChange(name: string, beforeMs: number, nowMs: number): string[] {
  return beforeMs === nowMs ? [] : [`${name} is ${formatGoDuration(nowMs)} now, and was ${formatGoDuration(beforeMs)}`];
}

/**
 * How long a certificate may count that was signed by then, in milliseconds: by the longest life and the longest
 * skew that were in force at any moment before. Sentry reads its settings when it starts, so that a shorter life
 * that somebody has set since may not be in force yet.
 */
export function longestLifeMs(settings: RotationSettings, by: Date): number {
  const former = settings.formerLives ?? [];
  const begins = [undefined, ...former.map(({ until }) => new Date(until))];
  const lives = [...former, settings].filter((_, index) => {
    const begin = begins[index];
    return begin === undefined || begin <= by;
  });
  const longest = (select: (life: Omit<FormerLife, 'until'>) => number) => Math.max(...lives.map(select));
  return longest((life) => life.workloadCertTtlMs) + longest((life) => life.allowedClockSkewMs);
}
