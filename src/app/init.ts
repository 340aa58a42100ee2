import type { KeyObject } from 'node:crypto';
import type { TrustBundle } from '../pki/bundle.ts';
import { issueIssuer, issueRoot } from '../pki/issue.ts';
import type { KeyType } from '../pki/keys.ts';
import type { SideFile, StoredBundle, TrustStore } from '../store/port.ts';
import { readCurrent } from './renew/current.ts';
import { issueContext } from './renew/make.ts';
import { planSteps } from './renew/plan.ts';
import { type BackupReport, describeBackup, endOfRoot } from './renew/report.ts';
import { type Document, describeStore, document, type StoreReport } from './report.ts';
import { describeRootKey, planRootKey, type RootKeyReport, type RootKeyWish, rootKeyLost } from './root-key.ts';

export interface InitInput {
  /** Own certificates, judged when they are written; undefined: new ones are made. */
  readonly own: TrustBundle | undefined;
  /** An existing root key to be used again. */
  readonly rootKey: KeyObject | undefined;
  readonly saveRootKey: RootKeyWish | undefined;
  readonly trustDomain: string;
  readonly now: Date;
  readonly rootValidMs: number;
  readonly issuerValidMs: number;
  readonly allowedClockSkewMs: number;
  readonly keyType: KeyType;
  readonly issuerPathLength: number | undefined;
  /** The Configuration to write; undefined where the present one is as it should be. */
  readonly configuration: SideFile | undefined;
  readonly configurationPath: string;
  readonly force: boolean;
  readonly backupPassphrase: string | undefined;
  readonly keepBackups: number;
  readonly purpose: string;
  readonly newSerial: () => string;
  readonly newKey: (type: KeyType) => KeyObject;
}

export interface InitReport extends Document<'Init'> {
  readonly store: StoreReport;
  /** made: a bundle was written. kept: one was there already. finished: an interrupted run was carried to its end. */
  readonly outcome: 'made' | 'kept' | 'finished';
  readonly validUntil: string | null;
  readonly trustDomain: string;
  readonly configuration: string;
  readonly backup: BackupReport | null;
  readonly rootKey: RootKeyReport | null;
  readonly remarks: readonly string[];
}

/**
 * Makes a bundle where there is none. An existing one is left as it is unless it is forced.
 * @throws DaprMtlsError of the store, and `trust.refused` for own certificates that Sentry refuses
 */
export async function initialize(store: TrustStore, input: InitInput): Promise<InitReport> {
  const session = await store.openForChange(input.purpose);
  try {
    const stored = await session.read();
    const report = async (outcome: InitReport['outcome'], rest: Pick<InitReport, 'backup' | 'rootKey' | 'remarks'>) =>
      document('Init', {
        store: describeStore(store.location, stored),
        outcome,
        validUntil: endOfRoot((await session.read()).files),
        trustDomain: input.trustDomain,
        configuration: input.configurationPath,
        ...rest,
      });
    const nothing = { backup: null, rootKey: null, remarks: [] };
    if (session.finished?.purpose === input.purpose) return await report('finished', nothing);
    if (hasBundle(stored) && !input.force) {
      // A Configuration that is there belongs to the bundle that is there.
      const missing = input.configuration?.replaces === undefined ? input.configuration : undefined;
      await session.apply({ steps: [], sideFiles: missing ? [missing] : [] }, stored.revision);
      const unsaved = input.saveRootKey ? ['No root was made, so --save-root-key had nothing to save.'] : [];
      return await report('kept', { ...nothing, remarks: unsaved });
    }
    const made = input.own ? { bundle: input.own, rootKey: undefined } : await makeBundle(input);
    const steps = planSteps(
      readCurrent(stored, store.location, input.now),
      made.bundle,
      input.now,
      store.location.kind,
    );
    const sideFiles = [
      ...planRootKey(made.rootKey, input.saveRootKey),
      ...(input.configuration ? [input.configuration] : []),
    ];
    const backup = await session.backUp({ reason: input.purpose, passphrase: input.backupPassphrase });
    await session.apply({ steps, sideFiles }, stored.revision);
    await session.pruneBackups(input.keepBackups);
    const isLost = made.rootKey !== undefined && !input.saveRootKey && !input.rootKey;
    return await report('made', {
      backup: describeBackup(backup),
      rootKey: made.rootKey ? describeRootKey(input.saveRootKey) : null,
      remarks: isLost ? [rootKeyLost] : [],
    });
  } finally {
    await session.close();
  }
}

/** Any of the three files counts: a half bundle is somebody's, too. */
function hasBundle({ files }: StoredBundle): boolean {
  return Object.values(files).some((content) => content !== undefined);
}

/** What new certificates are made of. */
export type BundleWish = Pick<
  InitInput,
  | 'rootKey'
  | 'trustDomain'
  | 'now'
  | 'rootValidMs'
  | 'issuerValidMs'
  | 'allowedClockSkewMs'
  | 'keyType'
  | 'issuerPathLength'
  | 'newSerial'
  | 'newKey'
>;

/** A root, new or on the key that is given, and an issuer under it. Nothing is written. */
export async function makeBundle(input: BundleWish): Promise<{ bundle: TrustBundle; rootKey: KeyObject }> {
  const { now, keyType, newKey } = input;
  const context = issueContext(input);
  const rootKey = input.rootKey ?? newKey(keyType);
  const root = await issueRoot(rootKey, new Date(now.getTime() + input.rootValidMs), context);
  const issuer = await issueIssuer(
    root,
    newKey(keyType),
    new Date(now.getTime() + input.issuerValidMs),
    context,
    input.issuerPathLength,
  );
  return { rootKey, bundle: { anchors: [root.certificate], issuerChain: [issuer.certificate], issuerKey: issuer.key } };
}
