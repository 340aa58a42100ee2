import { digest } from '../digest.ts';
import { anchorsOf, type BundleObjects, type ClusterPlace, filesOf } from './objects.ts';

/** By content: a label or a key that is not the bundle's may change meanwhile. */
export function revisionOf({ secret, configMap }: BundleObjects, { names }: Pick<ClusterPlace, 'names'>): string {
  const { anchors, issuerChain, issuerKey } = filesOf(secret, names);
  const parts = [anchors, issuerChain, issuerKey, anchorsOf(configMap, names)];
  return digest(Buffer.from(parts.map((part) => (part ? digest(part) : 'none')).join(' ')));
}
