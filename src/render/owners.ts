import type { OwnerVerdict } from '../app/owners/verdict.ts';

/**
 * What is said of owners when a change goes on: who will undo it although that was asked for, and
 * what is worth knowing of the others. One line each, for stderr.
 */
export function ownerRemarks(verdicts: readonly OwnerVerdict[]): { warnings: string[]; notes: string[] } {
  const isWarning = ({ effect }: OwnerVerdict) => effect === 'reverts' || effect === 'conflicts';
  const isTold = ({ effect, source }: OwnerVerdict) =>
    effect === 'unknown' || (effect === 'keeps' && source === 'helm-release');
  return {
    warnings: verdicts.filter(isWarning).map(({ message }) => `Warning: ${message}`),
    notes: verdicts.filter(isTold).map(({ message }) => `Note: ${message}`),
  };
}

/** Said aloud of a repair, which is not stopped by who will undo it; undefined where nobody will. */
export function undoneRemark(verdicts: readonly OwnerVerdict[]): string | undefined {
  const titles = [...new Set(verdicts.filter(({ stops }) => stops).map(({ title }) => title))];
  if (titles.length === 0) return undefined;
  return `WARNING: THIS REPAIR WILL BE UNDONE by ${titles.join(', ')}. Suspend what runs by itself, and let none of it run before it holds this bundle: \`dapr-mtls check -k\` tells how.`;
}
