import { createHash } from 'node:crypto';

/** SHA-256 in hexadecimal. */
export function digest(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

export function digestOrNull(content: Uint8Array | undefined): string | null {
  return content ? digest(content) : null;
}
