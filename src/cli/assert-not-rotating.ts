import { whyRotating } from '../app/rotate/under-way.ts';
import { quotePosix } from '../app/shell-quote.ts';
import { DaprMtlsError } from '../errors.ts';
import type { ClusterPlace } from '../store/cluster/objects.ts';
import type { Place } from '../store/directory/place.ts';
import { readRecord, recordPath } from '../store/directory/rotation-record.ts';
import type { FoundFiles } from '../store/port.ts';
import type { Site } from './site.ts';
import type { Streams } from './streams.ts';

/**
 * For a command that would change what a rotation builds on.
 * @param files what it leads to, where it may be the bundle that the rotation has recorded
 * @throws DaprMtlsError `rotation.running`, `store.damaged`
 */
export async function assertNotRotating(
  { place, inCluster }: Pick<Site, 'place' | 'inCluster'>,
  streams: Streams,
  files?: FoundFiles,
): Promise<void> {
  if (place) await assertNotRotatingDirectory(place, files);
  if (inCluster) await assertNotRotatingCluster(inCluster.place, streams, files);
}

/**
 * For who makes Secret and ConfigMap one bundle again, which cannot wait: until then the next Sentry to start makes
 * a root of its own. The rotation finds another bundle than its own, and stops by itself.
 * @throws DaprMtlsError `cluster.*`
 */
export async function warnOfRotation(
  { inCluster }: Pick<Site, 'inCluster'>,
  streams: Streams,
  files: FoundFiles,
): Promise<void> {
  try {
    await assertNotRotating({ place: undefined, inCluster }, streams, files);
  } catch (error) {
    const isOfRotation = error instanceof DaprMtlsError && /^(rotation\.running|store\.damaged)$/.test(error.code);
    if (!isOfRotation) throw error;
    streams.warn(
      'WARNING: a rotation is under way, and this is not the bundle that it has recorded. Afterwards put that one back, `dapr-mtls rotate run -k --put-back`, or give the rotation up, `dapr-mtls rotate undo -k --abandon`.\n',
    );
  }
}

/** @throws DaprMtlsError `rotation.running`, `store.damaged` */
export async function assertNotRotatingDirectory(
  { directory, workDirectory }: Pick<Place, 'directory' | 'workDirectory'>,
  files?: FoundFiles,
): Promise<void> {
  const way = ` --dir ${quotePosix(directory)}`;
  const place = { name: recordPath(workDirectory), wayToStore: way };
  const read = async () => {
    const saved = readRecord(workDirectory);
    return saved && { ...saved, place };
  };
  try {
    const refusal = await whyRotating({ read }, way, files);
    if (refusal) throw refusal;
  } catch (error) {
    // Who may not read there may change nothing either, and the store says why.
    if (!(error instanceof DaprMtlsError) || error.code !== 'store.permission') throw error;
  }
}

/**
 * Who may change the bundle and not read the record is told so, and not stopped: a rotation would find
 * its bundle changed, and stop by itself.
 * @throws DaprMtlsError `rotation.running`, `store.damaged`, `cluster.*`
 */
export async function assertNotRotatingCluster(
  { cluster, namespace }: Pick<ClusterPlace, 'cluster' | 'namespace'>,
  streams: Streams,
  files?: FoundFiles,
): Promise<void> {
  const { contentOf, nameOfRecord, readRecord: readSecret } = await import('../store/cluster/rotation-record.ts');
  const place = { name: `the ${nameOfRecord({ namespace })}`, wayToStore: ' -k' };
  const read = async () => {
    const saved = contentOf(await readSecret({ cluster, namespace }));
    return saved && { ...saved, place };
  };
  try {
    const refusal = await whyRotating({ read }, ' -k', files);
    if (refusal) throw refusal;
  } catch (error) {
    if (!(error instanceof DaprMtlsError) || error.code !== 'cluster.forbidden') throw error;
    streams.note(`Not checked whether a rotation is under way: ${error.message}\n`);
  }
}
