import type { RenewalReport } from '../app/renew/report.ts';
import { watchKept } from '../app/renew/watch-kept.ts';
import type { PublishingStore } from '../store/port.ts';
import { Interrupted, type StopSwitch } from './stop.ts';
import type { Streams } from './streams.ts';

/**
 * The control plane is back: looks on whether the bundle stays the one that was written.
 * @throws DaprMtlsError `store.conflict`, `store.mismatch`; Interrupted
 */
export async function watchAfterRestart(
  store: PublishingStore,
  report: RenewalReport,
  settleMs: number,
  { streams, stop }: { readonly streams: Streams; readonly stop: StopSwitch },
): Promise<void> {
  const { sleep, assertRunning } = stop;
  if (settleMs > 0)
    streams.note(`Watching the bundle for ${Math.ceil(settleMs / 1000)} s more, now that Sentry has started anew\n`);
  try {
    await watchKept(store, report, { settleMs, sleep, assertRunning });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    throw new Interrupted(error.signal, {
      message: 'the bundle is renewed and the control plane restarted; only the last look at both was not taken',
      hint: 'Take it: `dapr-mtls check -k`.',
    });
  }
}
