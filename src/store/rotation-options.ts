import type { RotationHolder } from './rotation-port.ts';

/** What the store of a rotation's record takes from outside, wherever the record lies. */
export interface RotationStoreOptions {
  readonly now: () => Date;
  /** Wakes early where the run is to stop. */
  readonly sleep: (ms: number) => Promise<void>;
  /** Throws when the run is to stop; asked while another run is waited for. */
  readonly assertRunning: () => void;
  /** Person, host and process: whom to ask for this run. */
  readonly holder: string;
  /** Tells this run from every other: hexadecimal. */
  readonly newId: () => string;
  /** ` -k` or ` --dir DIR`, for the mend of an error. */
  readonly wayToStore: string;
  readonly onProgress: (progress: RotationProgress) => void;
}

export type RotationProgress =
  /** It is at work there or has died; in so long it is seen to have moved, or counts as dead. */
  | { readonly kind: 'other-run'; readonly holder: RotationHolder; readonly remainingMs: number }
  /** It lives, and is waited for. */
  | { readonly kind: 'waiting'; readonly holder: RotationHolder; readonly remainingMs: number }
  | { readonly kind: 'taken-over'; readonly holder: RotationHolder };
