import type { Labels, ManifestObject, Place } from './object.ts';

/** Of the operator of Prometheus (monitoring.coreos.com/v1). */
export function makeServiceMonitor(
  { name, namespace }: Place,
  { selected, more, path }: { readonly selected: Labels; readonly more: Labels; readonly path: string },
): ManifestObject {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ServiceMonitor',
    metadata: { name, namespace, labels: { ...selected, ...more } },
    spec: {
      selector: { matchLabels: selected },
      endpoints: [
        {
          port: 'metrics',
          path,
          interval: '60s',
          scrapeTimeout: '10s',
          // One name for all replicas, whose pods come and go: alerts neither double nor begin anew. `pod` tells them apart.
          relabelings: [{ targetLabel: 'instance', replacement: `${namespace}/${name}` }],
        },
      ],
    },
  };
}
