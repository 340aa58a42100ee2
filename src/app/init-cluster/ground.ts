import { DaprMtlsError } from '../../errors.ts';
import type { BundleFiles } from '../../pki/bundle.ts';
import type { FoundFiles } from '../../pki/reading.ts';
import { whySentryRefuses } from '../../pki/sentry.ts';

/** What is there before Dapr is. */
export interface Ground {
  readonly namespace: string;
  /** Of the Secret; undefined where it is missing or holds no data at all. */
  readonly secret: FoundSecret | undefined;
  /** Of the ConfigMap; undefined where it is missing or holds no data at all. */
  readonly configMap: { readonly anchors: Buffer | undefined } | undefined;
  /** The namespaces in which a Sentry is. */
  readonly sentries: readonly string[];
  readonly release: FoundRelease | undefined;
  /** The release that an object of the bundle says it belongs to, where it is another one than ours. */
  readonly otherOwner: string | undefined;
}

export interface FoundSecret {
  readonly files: FoundFiles;
  /** An earlier run of `init -k` has laid it, and nothing was installed yet. */
  readonly isLaidByInit: boolean;
}

/** A Helm release of the name that the chart is to get. */
export interface FoundRelease {
  readonly name: string;
  readonly namespace: string;
  /** deployed, failed, pending-install, ... */
  readonly status: string;
}

/** lay: nothing is there. finish: an interrupted run has laid the Secret; its bundle is kept. */
export type Clearance = { readonly kind: 'lay' } | { readonly kind: 'finish'; readonly files: BundleFiles };

/**
 * Whether a bundle may be laid here. Whatever is there is never replaced, and no flag says otherwise:
 * another root under a running Dapr is an outage.
 * @throws DaprMtlsError `dapr.exists`
 */
export function assertClear(ground: Ground, at: Date): Clearance {
  const { namespace, secret, configMap, sentries, release, otherOwner } = ground;
  const [sentry] = sentries;
  if (sentry !== undefined) throw sentryThere(sentries, namespace);
  if (release) throw releaseThere(release);
  const laid = secret?.isLaidByInit ? wholeOf(secret.files) : undefined;
  const isHalf = laid !== undefined && (!configMap || configMap.anchors?.equals(laid.anchors) === true);
  if (isHalf && whySentryRefuses(laid, at) === undefined) return { kind: 'finish', files: laid };
  if (secret || configMap) throw bundleThere(ground);
  if (otherOwner !== undefined) throw ownedByOther(namespace, otherOwner);
  return { kind: 'lay' };
}

function wholeOf({ anchors, issuerChain, issuerKey }: FoundFiles): BundleFiles | undefined {
  return anchors && issuerChain && issuerKey ? { anchors, issuerChain, issuerKey } : undefined;
}

function sentryThere(sentries: readonly string[], wanted: string): DaprMtlsError {
  const [namespace = wanted] = sentries;
  const flag = namespace === 'dapr-system' ? '' : ` -n ${namespace}`;
  return new DaprMtlsError('dapr.exists', {
    message: `Dapr is here already: there is a Sentry in namespace ${sentries.join(' and ')}; nothing was written`,
    hint: `See how it is: \`dapr status -k\`. Renew its certificates: \`dapr mtls renew-certificate -k${flag}\`. Mend a bundle: \`dapr-mtls repair -k${flag}\`.`,
  });
}

function releaseThere({ name, namespace, status }: FoundRelease): DaprMtlsError {
  const hint =
    status === 'deployed' || status === 'superseded'
      ? `See how it is: \`helm status ${name} -n ${namespace}\` and \`dapr status -k\`. Upgrade it with \`helm upgrade\`.`
      : `It did not get to its end. Try it again: \`helm upgrade --install ${name} CHART -n ${namespace}\`, which keeps the bundle; or take all of it away, the bundle too: \`helm uninstall ${name} -n ${namespace}\`, then run this command again.`;
  return new DaprMtlsError('dapr.exists', {
    message: `there is a Helm release ${name} in namespace ${namespace} already (${status}); nothing was written`,
    hint,
  });
}

function bundleThere({ namespace, secret, configMap }: Ground): DaprMtlsError {
  const what = [secret ? 'Secret' : '', configMap ? 'ConfigMap' : ''].filter(Boolean).join(' and ');
  return new DaprMtlsError('dapr.exists', {
    message: `the ${what} ${namespace}/dapr-trust-bundle ${secret && configMap ? 'hold' : 'holds'} data already, though no Sentry is there; nothing was written`,
    hint: `Look at it: \`dapr-mtls check -k -n ${namespace}\`. To install Dapr on that bundle use Helm. If nobody needs it any more: kubectl delete secret,configmap dapr-trust-bundle -n ${namespace}, then run this command again.`,
  });
}

function ownedByOther(namespace: string, owner: string): DaprMtlsError {
  return new DaprMtlsError('dapr.exists', {
    message: `${namespace}/dapr-trust-bundle belongs to the Helm release ${owner}; nothing was written`,
    hint: 'Install Dapr by that release, or remove the object if the release is gone.',
  });
}
