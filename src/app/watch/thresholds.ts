import { parseValidity } from '../configuration/duration.ts';

/** From when on the end of a certificate is worth a warning: so long before it, or when so much of the lifetime is left. */
export type Threshold =
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'share'; readonly share: number };

interface Lifetime {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Reads `30d,20%`: lengths of time and shares of the lifetime; undefined for anything else. */
export function parseThresholds(text: string): readonly Threshold[] | undefined {
  const thresholds = text.split(',').map((part) => parseThreshold(part.trim()));
  return thresholds.every((threshold) => threshold !== undefined) ? thresholds : undefined;
}

function parseThreshold(text: string): Threshold | undefined {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1];
  if (percent !== undefined) {
    const share = Number(percent) / 100;
    return share > 0 && share <= 1 ? { kind: 'share', share } : undefined;
  }
  const ms = parseValidity(text);
  return ms === undefined ? undefined : { kind: 'time', ms };
}

/** The instant that any of the thresholds reaches first; never before the certificate is valid. */
export function warningStart({ notBefore, notAfter }: Lifetime, thresholds: readonly Threshold[]): Date {
  const lifetimeMs = notAfter.getTime() - notBefore.getTime();
  const longestMs = Math.max(
    ...thresholds.map((threshold) => (threshold.kind === 'time' ? threshold.ms : threshold.share * lifetimeMs)),
  );
  return new Date(Math.max(notBefore.getTime(), notAfter.getTime() - longestMs));
}
