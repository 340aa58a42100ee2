import type { InterruptedChange, StoreLocation, TrustStore } from '../store/port.ts';
import { type BackupReport, type CertificateChange, endOfRoot } from './renew/report.ts';
import { type Document, document, formatInstant } from './report.ts';

export interface RepairReport extends Document<'Repair'> {
  readonly store: { readonly kind: StoreLocation['kind']; readonly name: string };
  /** nothing: no change had been interrupted. united: both sides of the store hold one bundle again. */
  readonly outcome: 'finished' | 'abandoned' | 'nothing' | 'united' | 'dry-run';
  /** The command whose change it was. */
  readonly purpose: string | null;
  readonly startedAt: string | null;
  readonly validUntil: string | null;
  /** By certificates, on each side; empty where no side was chosen. */
  readonly changes: readonly CertificateChange[];
  readonly backup: BackupReport | null;
}

/** Finishes an interrupted change and does nothing else. @throws DaprMtlsError of the store */
export async function finishInterrupted(store: TrustStore): Promise<RepairReport> {
  // Where nothing is to be finished nothing is made, not even a lock.
  if ((await store.read()).state === 'settled') return describe(store, 'nothing', undefined);
  const session = await store.openForChange('repair');
  try {
    return await describe(store, session.finished ? 'finished' : 'nothing', session.finished);
  } finally {
    await session.close();
  }
}

/** Gives an interrupted change up and keeps what stands in the store. */
export async function abandonInterrupted(store: TrustStore): Promise<RepairReport> {
  const abandoned = await store.abandonInterrupted('repair --abandon');
  return describe(store, abandoned ? 'abandoned' : 'nothing', abandoned);
}

async function describe(
  store: TrustStore,
  outcome: RepairReport['outcome'],
  change: InterruptedChange | undefined,
): Promise<RepairReport> {
  const { kind, name }: StoreLocation = store.location;
  return document('Repair', {
    store: { kind, name },
    outcome,
    purpose: change?.purpose ?? null,
    startedAt: change ? formatInstant(change.startedAt) : null,
    validUntil: endOfRoot((await store.read()).files),
    changes: [],
    backup: null,
  });
}
