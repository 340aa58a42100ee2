import type { StoreLocation } from '../store/port.ts';

/** The flag, with a space before it, that leads the next command to the same kind of store. */
export function wayToStore({ kind }: Pick<StoreLocation, 'kind'>): string {
  return kind === 'cluster' ? ' -k' : '';
}
