/**
 * Asks for the first item at once and not when it is taken, so that a server works on its answer
 * meanwhile. No more is asked for than that one; what fails, fails where it is taken.
 */
export function askAhead<T>(items: AsyncGenerator<T, void, undefined>): AsyncGenerator<T, void, undefined> {
  const first = items.next();
  // Nobody may ever take it.
  first.catch(() => undefined);
  return continueFrom(first, items);
}

async function* continueFrom<T>(
  first: Promise<IteratorResult<T, void>>,
  items: AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  try {
    const { done, value } = await first;
    if (done) return;
    yield value;
    yield* items;
  } finally {
    await items.return();
  }
}
