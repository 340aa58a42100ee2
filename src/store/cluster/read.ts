import type { BundleReader, StoredBundle, StoreLocation } from '../port.ts';
import { claimOf } from './claim.ts';
import { readKeeper } from './keeper.ts';
import { locationOf } from './location.ts';
import { anchorsOf, type BundleObjects, type ClusterPlace, filesOf, readObjects } from './objects.ts';
import { revisionOf } from './revision.ts';

/** The bundle of a control plane, for who only looks. */
export class ClusterReader implements BundleReader {
  readonly location: StoreLocation;
  protected readonly place: ClusterPlace;

  constructor(place: ClusterPlace) {
    this.place = place;
    this.location = locationOf(place);
  }

  async read(): Promise<StoredBundle> {
    return (await this.readWithObjects()).stored;
  }

  /** Also what only a cluster has: both objects as they stand. */
  async readWithObjects(): Promise<{ stored: StoredBundle; objects: BundleObjects }> {
    const objects = await readQuietly(this.place);
    const isOpen = this.place.hasConfigMap && objects.secret !== undefined && objects.configMap === undefined;
    const isChanging = isOpen && claimOf(await readKeeper(this.place))?.change != null;
    return {
      objects,
      stored: {
        files: filesOf(objects.secret, this.place.names),
        revision: revisionOf(objects, this.place),
        state: isChanging ? 'interrupted' : 'settled',
      },
    };
  }
}

const attempts = 5;

/** The two objects are two reads: while they tell different things they are read again. */
async function readQuietly(place: ClusterPlace): Promise<BundleObjects> {
  let objects = await readObjects(place);
  for (let attempt = 1; attempt < attempts && isUneven(objects, place); attempt++) {
    const again = await readObjects(place);
    if (versionsOf(again) === versionsOf(objects)) return again;
    objects = again;
  }
  return objects;
}

function isUneven({ secret, configMap }: BundleObjects, { names }: ClusterPlace): boolean {
  const own = filesOf(secret, names).anchors;
  const others = anchorsOf(configMap, names);
  return own !== undefined && others !== undefined && !own.equals(others);
}

function versionsOf({ secret, configMap }: BundleObjects): string {
  return `${secret?.metadata.resourceVersion} ${configMap?.metadata.resourceVersion}`;
}
