import type { BundleReader, StoredBundle, StoreLocation } from '../port.ts';
import { locationOf } from './location.ts';
import { type ClusterPlace, filesOf, type SecretObject } from './objects.ts';
import { revisionOf } from './revision.ts';

/**
 * The bundle from the Secret alone, already read: one GET is all that the quick commands make.
 * Whether a change is under way is not asked.
 */
export class SecretReader implements BundleReader {
  readonly location: StoreLocation;
  readonly #stored: StoredBundle;

  constructor(place: ClusterPlace, secret: SecretObject | undefined) {
    this.location = locationOf(place);
    this.#stored = {
      files: filesOf(secret, place.names),
      revision: revisionOf({ secret, configMap: undefined }, place),
      state: 'unknown',
      source: 'secret',
    };
  }

  async read(): Promise<StoredBundle> {
    return this.#stored;
  }
}
