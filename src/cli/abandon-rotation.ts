import { amendRotation } from '../app/rotate/amend.ts';
import { parseRecord, type RotationRecord } from '../app/rotate/record.ts';
import { type RotationReport, reportRotation } from '../app/rotate/report.ts';
import { setRecordAside } from '../app/rotate/set-aside.ts';
import { abandonRotation, tellToWithdraw } from '../app/rotate/undo.ts';
import { assertUnited } from './assert-united.ts';
import { confirmAtTerminal } from './confirm.ts';
import { dropDraft } from './keep-file.ts';
import type { OpenRotation } from './open-rotation.ts';
import { noRotation } from './perform-rotation.ts';

const purpose = 'rotate undo --abandon';

/**
 * Ends a rotation and keeps the bundle that stands there, whoever wrote it. A record that nobody can read is put
 * aside: it would keep every other command from changing anything.
 * @throws DaprMtlsError `rotation.missing`, `store.mismatch`, `usage.declined`, `store.locked`, `store.conflict`
 */
export async function abandonHere(
  { rotations, site, ports }: OpenRotation,
  { yes }: { readonly yes: boolean },
  lockWaitMs: number,
  now: Date,
): Promise<RotationReport> {
  const saved = await rotations.read();
  if (!saved) throw noRotation(ports.wayToStore);
  const stored = await site.store.read();
  // Which of two bundles would be kept nobody knows.
  await assertUnited(site, stored);
  const report = (record: RotationRecord | undefined, remarks: readonly string[]) =>
    reportRotation(site.store.location, record, { end: 'ended', waits: [], holder: undefined, remarks });
  const present = parseRecord(saved.content);
  if (!present) {
    await confirmAtTerminal(`Put ${saved.place.name}, which cannot be read, aside, and keep the bundle?`, yes);
    const aside = await setRecordAside(rotations, purpose, lockWaitMs);
    return report(undefined, [
      `The record that could not be read lies in ${aside} now. Issuer keys may be in it: remove it when nobody needs it any more.`,
    ]);
  }
  const voice = { who: ports.who, now, wayToStore: ports.wayToStore };
  // What cannot be given up is told before anybody is asked.
  abandonRotation(present, voice);
  await confirmAtTerminal('Give the rotation up, and keep the bundle that stands there?', yes);
  const turn = (record: RotationRecord) => {
    const turned = abandonRotation(record, voice);
    if (record.rootKeyFile) dropDraft(record.rootKeyFile);
    return turned;
  };
  return report(await amendRotation(rotations, purpose, turn, lockWaitMs), tellToWithdraw(present, stored.files));
}
