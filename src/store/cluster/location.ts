import type { StoreLocation } from '../port.ts';
import { bundleName, type ClusterPlace } from './objects.ts';

export function locationOf({ cluster: { location }, namespace, names }: ClusterPlace): StoreLocation {
  const where = location.context === undefined ? location.server : `context ${location.context}`;
  return { kind: 'cluster', name: `${namespace}/${bundleName} (${where})`, names };
}
