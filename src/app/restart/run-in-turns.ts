/**
 * Runs a task for each item, at most so many at a time, begun in order. After the first failure none is
 * begun any more; those under way are waited for, then that failure is thrown.
 * @param task is told by `hasFailed` that another one has failed, so that it need not go on
 */
export async function runInTurns<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  task: (item: Item, hasFailed: () => boolean) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = new Array(items.length);
  const failures: unknown[] = [];
  const hasFailed = () => failures.length > 0;
  const entries = items.entries();
  const work = async () => {
    for (const [index, item] of entries) {
      if (hasFailed()) return;
      try {
        results[index] = await task(item, hasFailed);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work));
  if (hasFailed()) throw failures[0];
  return results;
}
