import { describeChanges } from '../app/renew/report.ts';
import { nameSome } from '../app/rotate/plan.ts';
import { type PutBackPlan, planPutBack, putBack } from '../app/rotate/put-back.ts';
import { decodeRecord } from '../app/rotate/record.ts';
import { DaprMtlsError } from '../errors.ts';
import { renderChanges } from '../render/renewal.ts';
import { hang } from '../render/rotation-text.ts';
import { widthOf } from '../render/text.ts';
import type { FoundFiles, StoreLocation } from '../store/port.ts';
import { confirmAtTerminal } from './confirm.ts';
import { isHandedOut } from './hand-out.ts';
import type { OpenRotation } from './open-rotation.ts';
import type { OwnerFlags } from './rotation-owners.ts';
import type { Site } from './site.ts';
import type { Streams } from './streams.ts';

export interface PutBackFlags extends OwnerFlags {
  readonly yes: boolean;
}

/**
 * Puts the bundle that the rotation has recorded back over the one of somebody else, after a copy and a question.
 * @throws DaprMtlsError `usage.declined`, `store.owned`, and those of `planPutBack` and `putBack`
 */
export async function putBackHere(
  { rotations, site, ports }: OpenRotation,
  flags: PutBackFlags,
  lockWaitMs: number,
  { streams, now, typed }: { readonly streams: Streams; readonly now: Date; readonly typed: string },
): Promise<void> {
  if (isHandedOut(flags)) throw notByFile();
  const saved = await rotations.read();
  if (!saved) throw noRotation(ports.wayToStore);
  const plan = await planPutBack(decodeRecord(saved.content, saved.place), ports);
  if (!plan) {
    streams.note('The recorded bundle stands there: nothing has to be put back\n');
    return;
  }
  await assertUnowned(site, plan.files, flags, typed, streams);
  streams.warn(describePutBack(plan, site.store.location, now, widthOf(streams.outTerminal)));
  await confirmAtTerminal('Overwrite what stands there?', flags.yes);
  const backup = await putBack(plan, ports, lockWaitMs);
  const copy = backup ? `; what stood there is in ${backup.path}` : '';
  streams.note(`The recorded bundle is back in its place${copy}\n`);
}

/** Who would undo it is not written over: that would go on for ever. */
async function assertUnowned(
  { inCluster }: Pick<Site, 'inCluster'>,
  files: FoundFiles,
  flags: OwnerFlags,
  typed: string,
  streams: Streams,
): Promise<void> {
  if (!inCluster) return;
  const { assertUnowned: assertNone, judgeOwnersOf, tellOfOwners } = await import('./ask-owners.ts');
  const { verdicts } = await judgeOwnersOf(inCluster, files);
  assertNone(verdicts, { ignored: flags['ignore-owner'], typed, ways: 'ignoring' });
  tellOfOwners(verdicts, streams);
}

function describePutBack(
  { stage, files, present, phases, cutOff }: PutBackPlan,
  location: StoreLocation,
  now: Date,
  width: number,
): string {
  const changes = describeChanges(present, files, location, now);
  const say = (text: string) => hang('', text, width);
  return [
    ...say(
      `WARNING: the bundle in ${location.name} is not the one that the rotation has recorded, and is OVERWRITTEN by that of the stage ${stage}:`,
    ),
    ...(changes.length > 0 ? [renderChanges(changes, false, width)] : []),
    ...(cutOff.length > 0 ? say(`Cut off by that until they are restarted: ${nameSome(cutOff)}`) : []),
    ...(phases.length > 0 ? say(`Proved again, restarts included: ${phases.join(', ')}`) : []),
    '',
  ].join('\n');
}

function noRotation(wayToStore: string): DaprMtlsError {
  return new DaprMtlsError('rotation.missing', {
    message: 'there is no rotation whose bundle could be put back',
    hint: `What was replaced is among the copies: \`dapr-mtls backup list${wayToStore}\`.`,
  });
}

function notByFile(): DaprMtlsError {
  return new DaprMtlsError('usage.invalid', {
    message: '--put-back writes into the cluster, and the bundle was to be handed out into a file',
    hint: 'Let who keeps the objects apply the file of the last phase again: revert what was committed since. To write over it all the same: --put-back with --ignore-owner NAME, and without the file.',
  });
}
