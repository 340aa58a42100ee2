import type { BundleKind } from '../../kube/owners/facts.ts';

/**
 * What an owner does next to the data as they will be.
 * reverts: it puts its own back. conflicts: its next run fails, and forced puts its own back.
 * agrees: it declares the same. keeps: it leaves the data alone. unknown: that could not be told.
 */
export type Effect = 'reverts' | 'conflicts' | 'agrees' | 'keeps' | 'unknown';

export interface OwnerVerdict {
  /** The word for `--ignore-owner`. */
  readonly owner: string;
  /** As people call it: `Helm release dapr`. */
  readonly title: string;
  readonly objects: readonly BundleKind[];
  readonly effect: Effect;
  /** Whether the change must not be made unless that owner is named as ignored. */
  readonly stops: boolean;
  /** What happens next, in one sentence that begins with the title. */
  readonly message: string;
  /** How the bundle gets to where the owner takes it from. */
  readonly source: 'helm-release' | 'helm-values' | 'manifest' | 'elsewhere';
}

const order: readonly Effect[] = ['reverts', 'conflicts', 'unknown', 'agrees', 'keeps'];

/** The gravest of several. */
export function gravest(effects: readonly Effect[]): Effect {
  return order.find((effect) => effects.includes(effect)) ?? 'keeps';
}
