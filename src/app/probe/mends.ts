import type { BundleFacts, ProbeFacts } from './facts.ts';

/** The mends that several checks share. */
export const mends = {
  restart: 'Let the control plane take the bundle of today: `dapr-mtls restart -k`.',
  check: 'See what is wrong with the bundle: `dapr-mtls check -k`.',
} as const;

/**
 * What has to be mended before anybody restarts anything: the next Sentry to start on a bundle that is not one
 * makes a new root. Undefined where it is one, or was not read.
 */
export function mendOfBundle({
  hasConfigMap,
  bundle,
}: Pick<ProbeFacts, 'hasConfigMap' | 'bundle'>): string | undefined {
  return hasConfigMap && bundle.unread.length === 0 ? mendOfPair(bundle) : undefined;
}

/** What makes Secret and ConfigMap one bundle again; undefined where they are. Both have to be read. */
export function mendOfPair({ secretAnchors, configMapAnchors }: BundleFacts): string | undefined {
  if (!secretAnchors) return 'Restart nothing. Bring a copy back: `dapr-mtls repair -k --from backup`.';
  if (!configMapAnchors) return 'Restart nothing. Take what the Secret holds: `dapr-mtls repair -k --from secret`.';
  if (secretAnchors.equals(configMapAnchors)) return undefined;
  return 'Restart nothing. Make Secret and ConfigMap one bundle: `dapr-mtls repair -k --from secret` (or --from configmap, --from backup).';
}
