import type { TrustPair } from '../app/renew/effects.ts';

/** Who does not understand whom any more; empty where everybody does. */
export function cutOffRemarks(trust: readonly TrustPair[], mend: string): string[] {
  const broken = trust.filter(({ verifies }) => !verifies);
  if (broken.length === 0) return [];
  return [...broken.map(({ holder, shown }) => `Warning: who holds ${holder} does not verify ${shown}.`), mend];
}
