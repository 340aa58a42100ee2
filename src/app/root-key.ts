import type { KeyObject } from 'node:crypto';
import { DaprMtlsError } from '../errors.ts';
import { encodePrivateKey } from '../pki/keys.ts';
import type { SideFile } from '../store/port.ts';

/** Where the key of a new root goes; undefined: it is thrown away, as Sentry does. */
export interface RootKeyWish {
  /** Absolute. */
  readonly path: string;
  /** Undefined: in clear, which had to be asked for. */
  readonly passphrase: string | undefined;
}

export interface RootKeyReport {
  readonly path: string | null;
  readonly encrypted: boolean;
}

export function planRootKey(key: KeyObject | undefined, wish: RootKeyWish | undefined): SideFile[] {
  if (!wish) return [];
  if (!key) {
    throw new DaprMtlsError('usage.invalid', {
      message: '--save-root-key has nothing to save: your own certificates come without a root key',
      hint: 'Leave --save-root-key out.',
    });
  }
  return [
    { path: wish.path, content: Buffer.from(encodePrivateKey(key, wish.passphrase)), mode: 0o600, replaces: undefined },
  ];
}

export function describeRootKey(wish: RootKeyWish | undefined): RootKeyReport {
  return { path: wish?.path ?? null, encrypted: wish?.passphrase !== undefined };
}

/** The loud line. Without the key next year's renewal cannot keep the root. */
export const rootKeyLost =
  'WARNING: the key of the new root was NOT kept: this root cannot be renewed on its key, and the next one is a new root. Keep the key with --save-root-key FILE.';
