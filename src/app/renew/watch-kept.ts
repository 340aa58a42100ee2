import { DaprMtlsError } from '../../errors.ts';
import { readCertificateFile } from '../../pki/reading.ts';
import type { PublishingStore } from '../../store/port.ts';
import { assignRoles } from '../report.ts';
import type { RenewalReport } from './report.ts';

/** How long to look on, and by which clock. */
export interface WatchOptions {
  /** 0: one look, at once. */
  readonly settleMs: number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Throws when the run is to stop. */
  readonly assertRunning: () => void;
}

const stepMs = 1000;

/**
 * A Sentry that starts is what replaces bundles, and it does so seconds after it is ready: for a while
 * after its start the bundle that was written must stand there still. Looks at once, then each second.
 * @throws DaprMtlsError `store.conflict`, `store.mismatch`
 */
export async function watchKept(
  store: PublishingStore,
  renewal: Pick<RenewalReport, 'changes'>,
  { settleMs, sleep, assertRunning }: WatchOptions,
): Promise<void> {
  await assertKept(store, renewal);
  for (let watchedMs = 0; watchedMs < settleMs; watchedMs += stepMs) {
    assertRunning();
    await sleep(Math.min(stepMs, settleMs - watchedMs));
    await assertKept(store, renewal);
  }
}

async function assertKept(store: PublishingStore, { changes }: Pick<RenewalReport, 'changes'>): Promise<void> {
  await assertOne(store);
  const { anchors, issuerChain } = (await store.read()).files;
  const { root, issuer } = assignRoles({
    anchors: anchors && readCertificateFile('anchors', anchors),
    issuerChain: issuerChain && readCertificateFile('issuerChain', issuerChain),
  });
  const written = changes
    .filter(({ change }) => change !== 'removed')
    .map(({ certificate }) => certificate.fingerprint);
  const isKept = [root, issuer].every((certificate) => certificate && written.includes(certificate.fingerprint));
  if (written.length === 0 || isKept) return;
  throw new DaprMtlsError('store.conflict', {
    message: 'another bundle than the renewed one stands in the cluster after the restart',
    hint: 'See what it is: `dapr-mtls check -k` and `dapr-mtls audit -k`. The copies: `dapr-mtls backup list -k`.',
  });
}

/** The store's own words are those of a run that has written nothing. */
async function assertOne(store: PublishingStore): Promise<void> {
  try {
    await store.assertUnited();
  } catch (error) {
    if (!(error instanceof DaprMtlsError) || error.code !== 'store.mismatch') throw error;
    throw new DaprMtlsError('store.mismatch', {
      message: 'the bundle was renewed, but Secret and ConfigMap hold different anchors after the restart',
      hint: error.hint,
      cause: error,
    });
  }
}
