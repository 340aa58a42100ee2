import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ClusterPlace,
  type ConfigMapObject,
  configMapRef,
  type SecretObject,
  secretRef,
} from '../../src/store/cluster/objects.ts';
import type { TestStore } from './api-server/store.ts';
import { makeBundle } from './bundles.ts';

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
  store: TestStore,
  place: Pick<ClusterPlace, 'namespace'>,
  gapMs: number,
): Promise<SentryStart> {
  const secret = store.get<SecretObject>(secretRef(place));
  if (!secret) return { kind: 'exits' };
  await sleep(Math.random() * gapMs);
  const configMap = store.get<ConfigMapObject>(configMapRef(place));
  if (!configMap) return { kind: 'exits' };
  const decode = (name: string) => Buffer.from(secret.data?.[name] ?? '', 'base64').toString('utf8');
  const own = decode('ca.crt');
  const others = configMap.data?.['ca.crt'] ?? '';
  const isEmpty = own === '' || decode('issuer.crt') === '' || decode('issuer.key') === '' || others === '';
  if (!isEmpty && own === others) return { kind: 'serves', anchors: own };
  await replaceBundle(store, place);
  return { kind: 'generates', why: isEmpty ? 'data are missing' : 'the two ca.crt differ' };
}

/** Without any precondition, as Sentry does. */
async function replaceBundle(store: TestStore, place: Pick<ClusterPlace, 'namespace'>): Promise<void> {
  const { anchors, issuerChain, issuerKey } = (await makeBundle({ at: new Date() })).files;
  const encoded = {
    'ca.crt': anchors.toString('base64'),
    'issuer.crt': issuerChain.toString('base64'),
    'issuer.key': issuerKey.toString('base64'),
  };
  for (const [ref, data] of [
    [secretRef(place), encoded],
    [configMapRef(place), { 'ca.crt': anchors.toString('utf8') }],
  ] as const) {
    if (store.get(ref)) store.change<SecretObject>(ref, (object) => ({ ...object, data: { ...object.data, ...data } }));
  }
}

export interface SentryTally {
  serves: number;
  exits: number;
  generates: number;
}

/** Starts Sentries at random moments, over and over, until it is stopped. */
export function startSentries(
  store: TestStore,
  place: Pick<ClusterPlace, 'namespace'>,
  { gapMs, everyMs, atOnce }: { readonly gapMs: number; readonly everyMs: number; readonly atOnce: number },
): { readonly tally: SentryTally; stop(): Promise<SentryTally> } {
  const tally = { serves: 0, exits: 0, generates: 0 };
  let isStopped = false;
  const loop = async () => {
    while (!isStopped) {
      tally[(await startSentryOnce(store, place, gapMs)).kind] += 1;
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
