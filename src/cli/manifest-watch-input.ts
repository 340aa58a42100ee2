import * as Flags from '@oclif/core/flags';
import type { WatchManifestWish } from '../app/manifest/watch.ts';
import { DaprMtlsError } from '../errors.ts';
import { imageFlag, labelFlag, nameFlag, namespaceFlag, readLabels } from './manifest-flags.ts';
import { watchFlags } from './watch/watch-flags.ts';

const watcherGroup = 'WATCHER';
const prometheusGroup = 'PROMETHEUS';

export const manifestWatchFlags = {
  image: imageFlag({
    description: 'An image that has dapr-mtls on its PATH. Name it by its digest.',
    helpGroup: watcherGroup,
  }),
  namespace: namespaceFlag({
    description: "The control plane's namespace; the watcher lives there, too.",
    helpGroup: watcherGroup,
  }),
  name: nameFlag({ description: 'The name of the objects.', default: 'dapr-mtls-watch', helpGroup: watcherGroup }),
  replicas: Flags.integer({
    description: 'How many run; one of them has the lead, and all of them look and serve figures.',
    min: 1,
    max: 10,
    default: 2,
    helpGroup: watcherGroup,
  }),
  'warn-at': Flags.custom<string>({
    description:
      'When warnings begin: times before the end and shares of the lifetime, whichever comes first (default 30d).',
    helpValue: '30d,20%',
    helpGroup: watcherGroup,
    parse: async (text, context, options) => {
      await watchFlags['warn-at'].parse(text, context, options as never);
      return text;
    },
  })(),
  every: Flags.custom<string>({
    description: 'A whole look at least so often (default 5m); what changes is seen at once.',
    helpValue: 'TIME',
    helpGroup: watcherGroup,
    parse: async (text, context, options) => {
      // As the watcher will read it.
      await watchFlags.every.parse(text, context, options as never);
      return text;
    },
  })(),
  'read-secret': Flags.boolean({
    description:
      "Let it read the Secret, which holds the CA's key: it then judges the issuer key, too, and whether Secret and ConfigMap agree.",
    helpGroup: watcherGroup,
  }),
  'no-sidecars': Flags.boolean({
    description: 'Count no sidecars: it needs no right outside of the namespace then.',
    helpGroup: watcherGroup,
  }),
  'service-monitor': Flags.boolean({
    description: "A ServiceMonitor for Prometheus' operator, too.",
    helpGroup: prometheusGroup,
    exclusive: ['scrape-annotations'],
  }),
  label: labelFlag({
    description:
      'A label of the ServiceMonitor, such as the one by which the operator chooses; may be said several times.',
    helpGroup: prometheusGroup,
  }),
  'scrape-annotations': Flags.boolean({
    description: 'The annotations prometheus.io/scrape, port and path on the pods.',
    helpGroup: prometheusGroup,
  }),
};

export interface ManifestWatchFlags {
  readonly image: string;
  readonly namespace: string;
  readonly name: string;
  readonly replicas: number;
  readonly 'warn-at': string | undefined;
  readonly every: string | undefined;
  readonly 'read-secret': boolean;
  readonly 'no-sidecars': boolean;
  readonly 'service-monitor': boolean;
  readonly label: readonly string[];
  readonly 'scrape-annotations': boolean;
}

/** @throws DaprMtlsError `usage.invalid` for labels that nothing would bear */
export function readWatchManifestWish(flags: ManifestWatchFlags): WatchManifestWish {
  if (flags.label.length > 0 && !flags['service-monitor']) {
    throw new DaprMtlsError('usage.invalid', {
      message: '--label is for the ServiceMonitor, and none is asked for',
      hint: 'Add --service-monitor, or leave --label out.',
    });
  }
  const word = (name: string, value: string | undefined) => (value === undefined ? [] : [`--${name}`, value]);
  return {
    image: flags.image,
    namespace: flags.namespace,
    name: flags.name,
    replicas: flags.replicas,
    words: [...word('warn-at', flags['warn-at']), ...word('every', flags.every)],
    readsSecret: flags['read-secret'],
    readsSidecars: !flags['no-sidecars'],
    serviceMonitor: flags['service-monitor'] ? { labels: readLabels(flags.label) } : undefined,
    hasScrapeAnnotations: flags['scrape-annotations'],
  };
}
