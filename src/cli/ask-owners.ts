import { judgeOwners } from '../app/owners/judge.ts';
import { planData } from '../app/owners/planned-data.ts';
import { type OfferedWays, whyOwned } from '../app/owners/refusal.ts';
import type { OwnerVerdict } from '../app/owners/verdict.ts';
import { DaprMtlsError } from '../errors.ts';
import type { OwnerFacts } from '../kube/owners/facts.ts';
import { findOwners } from '../kube/owners/find-owners.ts';
import { ownerRemarks, undoneRemark } from '../render/owners.ts';
import { type BundleObjects, readObjects } from '../store/cluster/objects.ts';
import type { FoundFiles } from '../store/port.ts';
import type { ClusterSite } from './cluster-site.ts';
import type { Streams } from './streams.ts';

type OwnedSite = Pick<ClusterSite, 'cluster' | 'place'>;

export interface OwnerJudgement {
  readonly objects: BundleObjects;
  readonly facts: OwnerFacts;
  readonly verdicts: readonly OwnerVerdict[];
}

/**
 * Who else keeps the two objects, and what each does to a change that leads to these files.
 * @throws DaprMtlsError `cluster.*`
 */
export async function judgeOwnersOf({ cluster, place }: OwnedSite, files: FoundFiles): Promise<OwnerJudgement> {
  const objects = await readObjects(place);
  const facts = await findOwners(cluster, place.namespace, objects);
  return { objects, facts, verdicts: judgeOwners(facts, planData(files, place.names)) };
}

/** What a refusal needs to know to name the ways out of it. */
export interface OwnerAnswers {
  /** The owners whose undoing is put up with. */
  readonly ignored: readonly string[];
  /** The command line as it was typed. */
  readonly typed: string;
  readonly ways: OfferedWays;
}

/** For a change that can wait. @throws DaprMtlsError `store.owned` */
export function assertUnowned(verdicts: readonly OwnerVerdict[], { ignored, typed, ways }: OwnerAnswers): void {
  const refusal = whyOwned(verdicts, ignored, typed, ways);
  if (refusal) throw refusal;
}

/** What is said when the change goes on. */
export function tellOfOwners(verdicts: readonly OwnerVerdict[], streams: Streams): void {
  const { warnings, notes } = ownerRemarks(verdicts);
  for (const warning of warnings) streams.warn(`${warning}\n`);
  for (const note of notes) streams.note(`${note}\n`);
}

/**
 * For a change that cannot wait: until it is made the next Sentry to start makes a new root. Who will
 * undo it is said aloud, and what could not be found out stops nothing.
 */
export async function warnOfOwners({ cluster, place }: OwnedSite, files: FoundFiles, streams: Streams): Promise<void> {
  try {
    const facts = await findOwners(cluster, place.namespace, await readObjects(place));
    const { Secret = {}, ConfigMap = place.hasConfigMap ? {} : undefined } = facts.live;
    // A side that is missing is made anew, and so it is a change to who declares it.
    const verdicts = judgeOwners({ ...facts, live: { Secret, ConfigMap } }, planData(files, place.names));
    tellOfOwners(verdicts, streams);
    const remark = undoneRemark(verdicts);
    if (remark !== undefined) streams.warn(`${remark}\n`);
  } catch (error) {
    if (!(error instanceof DaprMtlsError)) throw error;
    streams.warn(`WARNING: who else keeps the bundle, and would undo this, was not checked: ${error.message}\n`);
  }
}
