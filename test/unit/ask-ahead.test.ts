import { expect, test } from 'vitest';
import { askAhead } from '../../src/kube/pods/ask-ahead.ts';

async function* count(log: string[], to: number): AsyncGenerator<number, void, undefined> {
  try {
    for (let number = 1; number <= to; number++) {
      log.push(`made ${number}`);
      yield number;
    }
  } finally {
    log.push('closed');
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of items) taken.push(item);
  return taken;
}

test('the first is asked for before anybody takes it, and no other', async () => {
  const log: string[] = [];
  const numbers = askAhead(count(log, 3));
  await Promise.resolve();
  expect(log).toEqual(['made 1']);
  expect(await collect(numbers)).toEqual([1, 2, 3]);
});

test.each([0, 1])('of %i items all are told', async (to) => {
  expect(await collect(askAhead(count([], to)))).toHaveLength(to);
});

test.each([1, 2])('who stops at item %i closes what the items come from', async (stop) => {
  const log: string[] = [];
  for await (const number of askAhead(count(log, 3))) if (number === stop) break;
  expect(log.at(-1)).toBe('closed');
});

test('a failure waits for who takes the items, and harms nobody else', async () => {
  async function* fail(): AsyncGenerator<number, void, undefined> {
    yield await Promise.reject(new Error('refused'));
  }
  askAhead(fail());
  await new Promise((resolve) => setTimeout(resolve));
  await expect(collect(askAhead(fail()))).rejects.toThrow('refused');
});
