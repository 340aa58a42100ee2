import type { BundlePart } from '../pki/reading.ts';

/** Sentry's own names (`--issuer-ca-filename` and its sisters change them). */
export const defaultNames = {
  anchors: 'ca.crt',
  issuerChain: 'issuer.crt',
  issuerKey: 'issuer.key',
} as const satisfies Record<BundlePart, string>;

export type FileNames = Readonly<Record<BundlePart, string>>;
