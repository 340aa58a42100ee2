import type { KubeconfigDocument } from './document.ts';

/**
 * Several kubeconfigs as one, as kubectl reads a KUBECONFIG of several files: the first to have an
 * entry wins and has it whole, and the first current-context wins.
 */
export function mergeKubeconfigs(documents: readonly KubeconfigDocument[]): KubeconfigDocument {
  return {
    currentContext: documents.find(({ currentContext }) => currentContext)?.currentContext ?? '',
    clusters: mergeEntries(documents.map(({ clusters }) => clusters)),
    users: mergeEntries(documents.map(({ users }) => users)),
    contexts: mergeEntries(documents.map(({ contexts }) => contexts)),
  };
}

function mergeEntries<Entry>(maps: readonly ReadonlyMap<string, Entry>[]): Map<string, Entry> {
  return new Map(maps.toReversed().flatMap((map) => [...map]));
}
