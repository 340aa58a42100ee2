import type { StoredBundle } from '../store/port.ts';

/** A part of a bundle that was not read although it may be there. */
export interface UnreadReport {
  readonly part: 'issuer' | 'issuer key';
  readonly reason: string;
  /** What brings it within reach. */
  readonly hint: string;
}

/** Said beside every report of this kind. */
export const insteadOfSecret = 'The Secret may not be read: ConfigMap and Sentry were asked instead';

export function listUnread({ unread = {} }: Pick<StoredBundle, 'unread'>): UnreadReport[] {
  const { issuerChain, issuerKey } = unread;
  return [
    ...(issuerChain ? [{ part: 'issuer' as const, ...issuerChain }] : []),
    ...(issuerKey ? [{ part: 'issuer key' as const, ...issuerKey }] : []),
  ];
}

export function tellUnread({ part, reason }: UnreadReport): string {
  return `${part}: not checked (${reason})`;
}
