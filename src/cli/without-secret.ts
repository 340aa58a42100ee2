import type { PublicLook } from '../app/banner.ts';
import { DaprMtlsError } from '../errors.ts';
import type { Cluster } from '../kube/port.ts';
import type { BundleReader } from '../store/port.ts';
import { openPublicReader, type PublicReaderOptions } from './public-bundle.ts';

/**
 * What can be told of a bundle whose Secret was refused, read once.
 * @param refusal of the Secret; thrown where there is no ConfigMap to read instead
 * @throws DaprMtlsError as `openPublicReader` and its `read` do
 */
export async function readWithoutSecret(
  cluster: Cluster,
  options: PublicReaderOptions,
  refusal: DaprMtlsError,
): Promise<BundleReader> {
  const { location, read } = await openPublicReader(cluster, options);
  const stored = await read().catch((error) => throwOfBoth(error, refusal));
  if (!stored.files.anchors) throw refusal;
  return { location, read: async () => stored };
}

/** Who may read neither is told the right that is the lesser one. */
function throwOfBoth(error: unknown, refusal: DaprMtlsError): never {
  if (!(error instanceof DaprMtlsError) || error.code !== 'cluster.forbidden') throw error;
  throw new DaprMtlsError('cluster.forbidden', {
    message: `${refusal.message}, and ${error.message}`,
    hint: `The ConfigMap is enough to see when root and issuer end; it holds no key. ${error.hint}`,
    cause: error,
  });
}

/** The same for who has another answer to give all the same: what stands in the way is a reason, no error. */
export async function lookWithoutSecret(
  cluster: Cluster,
  options: PublicReaderOptions,
  refusal: DaprMtlsError,
): Promise<PublicLook> {
  try {
    const { location, read } = await readWithoutSecret(cluster, options, refusal);
    return { kind: 'read', stored: await read(), names: location.names };
  } catch (error) {
    if (error instanceof DaprMtlsError)
      return { kind: 'failed', reason: error.message, isRefused: error.code === 'trust.refused' };
    throw error;
  }
}
