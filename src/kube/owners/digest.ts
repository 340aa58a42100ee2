import { createHash } from 'node:crypto';
import type { BundleKind, DataDigests } from './facts.ts';

export function digest(value: Uint8Array | string): string {
  return createHash('sha256').update(value).digest('hex');
}

/** The data as its object carries them: a Secret's in base64, a ConfigMap's as text. */
export function digestData(kind: BundleKind, data: Readonly<Record<string, unknown>> | undefined): DataDigests {
  const texts = Object.entries(data ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(
    texts.map(([key, text]) => [key, digest(kind === 'Secret' ? Buffer.from(text, 'base64') : text)]),
  );
}
