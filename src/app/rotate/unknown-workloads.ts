import type { World } from './world.ts';

/**
 * What is to be said of names that no workload with a sidecar bears: no gate leaves anybody out for them.
 * @param skipped NAMESPACE/NAME
 */
export function warnOfUnknownWorkloads(skipped: readonly string[], { sidecars }: Pick<World, 'sidecars'>): string[] {
  if (!sidecars) {
    return skipped.map((name) => `--skip-workload ${name} has no effect: nobody sees the workloads of a directory.`);
  }
  const known = [...new Set(sidecars.map(({ namespace, workload }) => `${namespace}/${workload.name}`))];
  return skipped
    .filter((name) => !known.includes(name))
    .map((name) => {
      const nearest = findNearest(name, known);
      const guess = nearest === undefined ? '' : ` Is ${nearest} meant?`;
      return `--skip-workload ${name}: no workload of this name has a sidecar now, so nobody is left out.${guess}`;
    });
}

/** Undefined where nothing is so near that it may be a slip of the finger. */
function findNearest(name: string, known: readonly string[]): string | undefined {
  const limit = Math.max(2, Math.floor(name.length / 4));
  const near = known.map((other) => ({ other, distance: distanceOf(name, other) }));
  return near.sort((a, b) => a.distance - b.distance).find(({ distance }) => distance <= limit)?.other;
}

/** How many letters have to be put in, taken out or exchanged (Levenshtein). */
function distanceOf(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= other.length; column++) {
      const exchanged = (row[column - 1] ?? 0) + (letter === other[column - 1] ? 0 : 1);
      next.push(Math.min(exchanged, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
