import { openQuickOutlet } from './outlet.ts';

/** What a run passes on its way, in this order; what concerns an answer once a request. */
type Phase = 'loaded' | 'parsed' | 'connected' | 'first byte' | 'answered' | 'rendered' | 'done';

const isOn = process.env.DAPR_MTLS_TIMINGS === '1';

/**
 * With `DAPR_MTLS_TIMINGS=1` tells on standard error how many milliseconds after the start of the process a phase
 * was reached, see docs/performance.md. Without it does nothing: `performance`, too, would have to be loaded.
 */
export const mark: (phase: Phase) => void = isOn
  ? (phase) => openQuickOutlet(2).write(`${performance.now().toFixed(1).padStart(8)} ms  ${phase}\n`)
  : () => {};

export function markEnd(): void {
  if (isOn) process.prependOnceListener('exit', () => mark('done'));
}
