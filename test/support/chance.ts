/** Reproducible chance: equal seeds draw equal numbers (mulberry32). */
export interface Chance {
  /** In [0, 1). */
  readonly draw: () => number;
  readonly is: (probability: number) => boolean;
  /** A whole number, both ends included. */
  readonly between: (least: number, most: number) => number;
  readonly pick: <Item>(items: readonly Item[]) => Item;
}

export function openChance(seed: number): Chance {
  let state = seed >>> 0;
  const draw = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x100000000;
  };
  return {
    draw,
    is: (probability) => draw() < probability,
    between: (least, most) => least + Math.floor(draw() * (most - least + 1)),
    pick: (items) => items[Math.floor(draw() * items.length)] as (typeof items)[number],
  };
}
