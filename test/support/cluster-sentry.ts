import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, KubeObject, ObjectRef } from '../../src/kube/port.ts';
import {
  type ClusterPlace,
  type ConfigMapObject,
  configMapRef,
  type SecretObject,
  secretRef,
} from '../../src/store/cluster/objects.ts';
import type { TestStore } from './api-server/store.ts';
import { makeBundle } from './bundles.ts';

/** How a Sentry reads the two objects, and writes them: without any precondition. */
export interface SentryAccess {
  get<T extends KubeObject>(ref: ObjectRef): Promise<T | undefined>;
  setData(ref: ObjectRef, data: Readonly<Record<string, string>>): Promise<void>;
}

/** Behind the back of the tests' own API server, so that thousands of starts take no time. */
export function behindServer(store: TestStore): SentryAccess {
  return {
    get: async (ref) => store.get(ref),
    setData: async (ref, data) => {
      if (!store.get(ref)) return;
      store.change<SecretObject>(ref, (object) => ({ ...object, data: { ...object.data, ...data } }));
    },
  };
}

/** Over the wire, from any API server. */
export function throughClient(cluster: Cluster): SentryAccess {
  return {
    get: (ref) => cluster.get(ref),
    setData: async (ref, data) => {
      await cluster.patch(ref, { data });
    },
  };
}

/** What one start of a Sentry came to. */
export type SentryStart =
  | { readonly kind: 'serves'; readonly anchors: string }
  /** An object is missing: it writes nothing, and is started again. */
  | { readonly kind: 'exits' }
  /** The accident: it has replaced the bundle by one of its own. */
  | { readonly kind: 'generates'; readonly why: string };

/**
 * The start of a Sentry in Kubernetes (pkg/sentry/server/ca/kube.go; measured on 1.14 to 1.18): it
 * reads the Secret, then the ConfigMap, exits where one is missing, and makes a new root where data
 * are missing or the two `ca.crt` differ by a byte.
 * @param gapMs between the two reads, at random up to this
 */
export async function startSentryOnce(
  access: SentryAccess,
  place: Pick<ClusterPlace, 'namespace'>,
  gapMs: number,
): Promise<SentryStart> {
  const secret = await access.get<SecretObject>(secretRef(place));
  if (!secret) return { kind: 'exits' };
  await sleep(Math.random() * gapMs);
  const configMap = await access.get<ConfigMapObject>(configMapRef(place));
  if (!configMap) return { kind: 'exits' };
  const decode = (name: string) => Buffer.from(secret.data?.[name] ?? '', 'base64').toString('utf8');
  const own = decode('ca.crt');
  const others = configMap.data?.['ca.crt'] ?? '';
  const isEmpty = own === '' || decode('issuer.crt') === '' || decode('issuer.key') === '' || others === '';
  if (!isEmpty && own === others) return { kind: 'serves', anchors: own };
  await replaceBundle(access, place);
  return { kind: 'generates', why: isEmpty ? 'data are missing' : 'the two ca.crt differ' };
}

async function replaceBundle(access: SentryAccess, place: Pick<ClusterPlace, 'namespace'>): Promise<void> {
  const { anchors, issuerChain, issuerKey } = (await makeBundle({ at: new Date() })).files;
  await access.setData(secretRef(place), {
    'ca.crt': anchors.toString('base64'),
    'issuer.crt': issuerChain.toString('base64'),
    'issuer.key': issuerKey.toString('base64'),
  });
  await access.setData(configMapRef(place), { 'ca.crt': anchors.toString('utf8') });
}

export interface SentryTally {
  serves: number;
  exits: number;
  generates: number;
}

/** Starts Sentries at random moments, over and over, until it is stopped. */
export function startSentries(
  access: SentryAccess,
  place: Pick<ClusterPlace, 'namespace'>,
  { gapMs, everyMs, atOnce }: { readonly gapMs: number; readonly everyMs: number; readonly atOnce: number },
): { readonly tally: SentryTally; stop(): Promise<SentryTally> } {
  const tally = { serves: 0, exits: 0, generates: 0 };
  let isStopped = false;
  const loop = async () => {
    while (!isStopped) {
      tally[(await startSentryOnce(access, place, gapMs)).kind] += 1;
      await sleep(Math.random() * everyMs);
    }
  };
  const loops = Array.from({ length: atOnce }, loop);
  return {
    tally,
    stop: async () => {
      isStopped = true;
      await Promise.all(loops);
      return tally;
    },
  };
}
