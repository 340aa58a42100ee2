import type { BundleFiles } from '../../pki/bundle.ts';
import type { TrustStore } from '../../store/port.ts';
import type { RotationStore } from '../../store/rotation-port.ts';
import type { Wait } from './gates/gate.ts';
import type { PendingFile, PhaseName } from './record.ts';
import type { RotationSite } from './world.ts';

/** What the engine works with. */
export interface RotationPorts {
  readonly store: TrustStore;
  readonly rotations: RotationStore;
  readonly site: RotationSite;
  readonly clock: { readonly now: () => Date; readonly sleep: (ms: number) => Promise<void> };
  /** Person, host and process. */
  readonly who: string;
  /** Of the keys in the record. */
  readonly passphrase: string | undefined;
  /** Writes a file once; the same content there already is well. @throws DaprMtlsError `file.exists`, `file.io` */
  readonly keepFile: (file: PendingFile) => void;
  /** Throws when the run is to stop. */
  readonly assertRunning: () => void;
  /**
   * Asked before each write: whether it is this program's to do, or was handed to whoever owns the objects.
   * @throws DaprMtlsError `store.owned`
   */
  readonly chooseWriter: (id: string, phase: PhaseName, files: BundleFiles) => Promise<Writer>;
  readonly onProgress: (progress: RotationProgress) => void;
  /** ` -k`, or nothing. */
  readonly wayToStore: string;
}

/** this: the program writes. other: somebody else does, who has been told; then that is waited for. */
export type Writer =
  | { readonly kind: 'this' }
  /** handedOut: where to, for the history. */
  | { readonly kind: 'other'; readonly handedOut: string; readonly wait: Wait };

export type RotationProgress =
  | { readonly kind: 'proved'; readonly phase: PhaseName; readonly pairs: number; readonly cutOff: readonly string[] }
  | { readonly kind: 'writing'; readonly phase: PhaseName }
  | { readonly kind: 'written'; readonly phase: PhaseName }
  | { readonly kind: 'restarting'; readonly phase: PhaseName }
  | { readonly kind: 'passed'; readonly phase: PhaseName; readonly evidence: readonly string[] }
  | { readonly kind: 'waiting'; readonly phase: PhaseName; readonly waits: readonly Wait[] }
  | { readonly kind: 'closed'; readonly until: Date }
  | { readonly kind: 'remark'; readonly text: string };
