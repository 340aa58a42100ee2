import { makeBundle } from '../../test/support/bundles.ts';
import { injectedPods } from '../../test/support/dapr/injected-pods.ts';
import type { Manifest } from '../../test/support/dapr/manifest.ts';

export const namespaces = Array.from({ length: 50 }, (_, index) => `team-${index}`);

/** Twenty pods a Deployment over fifty namespaces, of the generations of anchors that are given, in turn. */
export function makePods(count: number, anchors: readonly string[], managedFields = false): Manifest[] {
  return injectedPods({ count, anchors, namespaces, managedFields }).map(furnish);
}

/** The anchors of a bundle, and of four before it. */
export async function makeGenerations(current: { readonly anchors: Buffer }): Promise<string[]> {
  const former = await Promise.all(Array.from({ length: 4 }, () => makeBundle({ at: new Date() })));
  return [current, ...former.map(({ files }) => files)].map(({ anchors }) => `${anchors}`);
}

/** Settings of an application, until the pod is as large as real ones were seen to be: 12.8 KB. */
function furnish({ spec, ...pod }: Manifest): Manifest {
  const env = Array.from({ length: 33 }, (_, index) => ({
    name: `CHECKOUT_SETTING_${index}`,
    value: `value-${index}`,
  }));
  const containers = spec.containers.map((container: Manifest) =>
    container.name === 'daprd' ? container : { ...container, env: [...(container.env ?? []), ...env] },
  );
  return { ...pod, spec: { ...spec, containers } };
}
