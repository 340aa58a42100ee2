import type { TrustPair } from '../app/renew/effects.ts';

/** Who does not understand whom any more, and what to do about it. */
export function cutOffRemarks(trust: readonly TrustPair[]): string[] {
  const broken = trust.filter(({ verifies }) => !verifies);
  if (broken.length === 0) return [];
  const warnings = broken.map(({ holder, shown }) => `Warning: who holds ${holder} does not verify ${shown}.`);
  return [
    ...warnings,
    "Restart Sentry and every sidecar now. A renewal with the old root's key (--private-key) cuts nobody off.",
  ];
}
