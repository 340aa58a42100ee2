import { DaprMtlsError } from '../../errors.ts';
import { describeLedger, emptyLedger, type RestartLedger, type RestartProgress, recordProgress } from './progress.ts';

/** Passes progress on, and keeps the books of it. */
export function keepLedger(onProgress: (progress: RestartProgress) => void): {
  readonly onProgress: (progress: RestartProgress) => void;
  readonly ledger: () => RestartLedger;
} {
  let ledger = emptyLedger;
  return {
    ledger: () => ledger,
    onProgress: (progress) => {
      ledger = recordProgress(ledger, progress);
      onProgress(progress);
    },
  };
}

/** A failure of one workload, before it is known what became of the others. */
export function didNotComeBack(workload: string, reason: string, hint: string): DaprMtlsError {
  return new DaprMtlsError('rollout.failed', { message: `${workload} did not come back: ${reason}`, hint });
}

/** The same failure, and what is done and what is not; anything else is left as it was thrown. */
export function withLedger(error: unknown, ledger: RestartLedger): unknown {
  if (!(error instanceof DaprMtlsError)) return error;
  const { code, message, hint, cause } = error;
  return new DaprMtlsError(code, { message: `${message}; ${describeLedger(ledger)}`, hint, cause: cause ?? error });
}
