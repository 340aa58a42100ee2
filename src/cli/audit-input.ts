import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { AuditInput } from '../app/audit/audit.ts';
import type { ReferenceFiles } from '../app/audit/reference.ts';
import type { AuditScope } from '../app/audit/report.ts';
import { describeCluster } from '../app/cluster-report.ts';
import { DaprMtlsError, isSystemError } from '../errors.ts';
import { type ControlPlane, look, readControlPlane } from '../kube/dapr/control-plane.ts';
import { findControlPlane } from '../kube/dapr/find.ts';
import { askAhead } from '../kube/pods/ask-ahead.ts';
import { readPods } from '../kube/pods/read-pods.ts';
import { injectedSelector } from '../kube/pods/sidecar-pod.ts';
import type { Cluster } from '../kube/port.ts';
import { isAtLeast } from '../pki/rules/context.ts';
import {
  anchorsOf,
  bundleName,
  type ConfigMapObject,
  configMapRef,
  filesOf,
  type SecretObject,
  secretRef,
} from '../store/cluster/objects.ts';
import { locate } from '../store/directory/place.ts';
import { DirectoryReader } from '../store/directory/read.ts';
import { defaultNames } from '../store/file-names.ts';

export interface AuditFlags {
  readonly namespace: string | undefined;
  readonly against: string | undefined;
  readonly 'only-namespace': string | undefined;
  readonly 'all-pods': boolean;
  readonly 'sentry-address'?: string | undefined;
}

/**
 * What an audit looks at; the pods are read while they are looked at.
 * @throws DaprMtlsError `cluster.*`, `dapr.missing`, `dapr.ambiguous`, `file.missing`, `file.io`
 */
export async function gatherAudit(cluster: Cluster, flags: AuditFlags): Promise<AuditInput> {
  const labelled = { namespace: flags['only-namespace'], labelSelector: injectedSelector };
  // Nearly always these are the pods that are meant, and their list takes most of the time of an audit.
  const expected = flags['all-pods'] ? undefined : askAhead(readPods(cluster, labelled));
  const namespace = await findControlPlane(cluster, flags.namespace);
  const controlPlane = await readControlPlane(cluster, namespace);
  const against =
    flags.against === undefined
      ? await readLive(cluster, controlPlane, flags['sentry-address'])
      : await readOther(resolve(flags.against));
  const scope: AuditScope = {
    namespace: flags['only-namespace'] ?? null,
    pods: flags['all-pods'] || !leavesLabels(controlPlane) ? 'all' : 'labelled',
  };
  const pods = scope.pods === 'labelled' && expected ? expected : readPods(cluster, { namespace: labelled.namespace });
  return { cluster: describeCluster(cluster.location, namespace), against, scope, pods };
}

/** The injector marks its pods since 1.11. Of an unknown version it is not known, either. */
function leavesLabels({ release }: ControlPlane): boolean {
  return release !== undefined && isAtLeast(release, 1, 11);
}

/**
 * The Secret, because it is what Sentry signs by. Who may not read it finds the anchors in the
 * ConfigMap, and is shown the issuer by Sentry; where Sentry shows none, it stays unknown.
 */
async function readLive(
  cluster: Cluster,
  { namespace, fileNames, release }: ControlPlane,
  sentryAddress: string | undefined,
): Promise<ReferenceFiles> {
  const [secret, configMap] = await Promise.all([
    look<SecretObject>(cluster, secretRef({ namespace })),
    look<ConfigMapObject>(cluster, configMapRef({ namespace })),
  ]);
  const name = `${namespace}/${bundleName}`;
  if (secret.presence !== 'unknown') {
    const { anchors, issuerChain } = filesOf(secret.object, fileNames);
    // Dapr up to 1.11 reads none; one that stands there all the same says nothing.
    const isUsed = release === undefined || isAtLeast(release, 1, 12);
    const others = isUsed ? anchorsOf(configMap.object, fileNames) : undefined;
    const isDifferent = anchors !== undefined && others !== undefined && !anchors.equals(others);
    const conflict = isDifferent ? 'Secret and ConfigMap hold different anchors' : undefined;
    return { kind: 'live', name, anchors, issuerChain, conflict };
  }
  if (configMap.presence !== 'present') throw secret.refusal;
  const { lookWithoutSecret } = await import('./without-secret.ts');
  const shown = await lookWithoutSecret(cluster, { namespace, sentryAddress }, secret.refusal as DaprMtlsError);
  return {
    kind: 'live',
    name,
    anchors: anchorsOf(configMap.object, fileNames),
    issuerChain: shown.kind === 'read' ? shown.stored.files.issuerChain : undefined,
    issuerUnread: shown.kind === 'read' ? shown.stored.unread?.issuerChain?.reason : shown.reason,
    conflict: shown.kind === 'failed' && shown.isRefused ? shown.reason : undefined,
  };
}

const sizeLimit = 1024 * 1024;

/** A directory with a bundle, or a PEM file of anchors. */
async function readOther(path: string): Promise<ReferenceFiles> {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) {
      const { files } = await new DirectoryReader(locate(path, defaultNames)).read();
      return { kind: 'directory', name: path, anchors: files.anchors, issuerChain: files.issuerChain };
    }
    if (stat.size > sizeLimit) throw notReadable(path, `it is ${stat.size} bytes long`);
    return { kind: 'file', name: path, anchors: readFileSync(path), issuerChain: undefined };
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    throw notReadable(path, cause.message, cause);
  }
}

function notReadable(path: string, reason: string, cause?: NodeJS.ErrnoException): DaprMtlsError {
  const isMissing = cause?.code === 'ENOENT';
  return new DaprMtlsError(isMissing ? 'file.missing' : 'file.io', {
    message: isMissing ? `${path} does not exist` : `${path} cannot be read: ${reason}`,
    hint: 'Name a PEM file of anchors, or a directory with a bundle, with --against.',
    cause,
  });
}
