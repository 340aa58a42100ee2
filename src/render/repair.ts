import type { RepairReport } from '../app/repair.ts';
import { formatRfc1123 } from './instant.ts';

export function renderRepair({ outcome, purpose, startedAt, validUntil, store }: RepairReport): string {
  const root = validUntil ? ` The root is valid through ${formatRfc1123(new Date(validUntil))}` : '';
  switch (outcome) {
    case 'finished':
      return `The change that "${purpose}" began at ${startedAt} is finished.${root}\n`;
    case 'abandoned':
      return `The change that "${purpose}" began at ${startedAt} was given up; ${store.name} stays as it is.${root}\n`;
    case 'nothing':
      return `No change was interrupted in ${store.name}; nothing was written.${root}\n`;
  }
}
