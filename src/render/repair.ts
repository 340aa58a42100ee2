import type { RepairReport } from '../app/repair.ts';
import { formatRfc1123 } from './instant.ts';
import { keepsakeRemarks } from './keepsakes.ts';
import { renderChanges } from './renewal.ts';

export function renderRepair(
  { outcome, purpose, startedAt, validUntil, store, changes }: RepairReport,
  { colour }: { colour: boolean },
): string {
  const root = validUntil ? ` The root is valid through ${formatRfc1123(new Date(validUntil))}` : '';
  switch (outcome) {
    case 'finished':
      return `The change that "${purpose}" began at ${startedAt} is finished.${root}\n`;
    case 'abandoned':
      return `The change that "${purpose}" began at ${startedAt} was given up; ${store.name} stays as it is.${root}\n`;
    case 'united':
      return `Secret and ConfigMap of ${store.name} hold one bundle again.${root}\n`;
    case 'dry-run':
      return `Dry run: nothing was written.\n\n${renderChanges(changes, colour)}\n`;
    case 'nothing':
      return `No change was interrupted in ${store.name}; nothing was written.${root}\n`;
  }
}

export function repairRemarks({ backup }: RepairReport): string[] {
  return keepsakeRemarks('What was there', { backup, rootKey: null });
}
