import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { encodeBundle, encodeCertificates } from '../../src/pki/encode.ts';
import { readCertificateFile, visibleCertificatesOf } from '../../src/pki/reading.ts';
import type { UserRules } from './api-server/access.ts';
import { type ApiServer, startApiServer } from './api-server/server.ts';
import { dayMs, makeBundle, renew } from './bundles.ts';
import { type InjectedOptions, injectedWorkload } from './dapr/injected-pods.ts';
import { runningControlPlane } from './dapr-control-plane.ts';
import { fixtureInstant } from './fixtures.ts';

/** Clusters for reports: one that is well, one in the middle of a rotation, and one that is away. */
export interface ReportStage {
  readonly kubeconfig: string;
  /** Of what the user may do in the cluster that rotates. */
  allow(rules: UserRules): void;
  stop(): Promise<void>;
}

export const stageInstant = fixtureInstant;

/** @param folder where its kubeconfig is written, with the contexts `prod-eu`, `staging` and `edge` */
export async function startReportStage(folder: string): Promise<ReportStage> {
  const [rotating, well] = await Promise.all([startRotating(), startWell()]);
  const kubeconfig = join(folder, 'kubeconfig');
  writeKubeconfig(kubeconfig, [
    ['prod-eu', rotating, rotating.url],
    ['staging', well, well.url],
    ['edge', well, 'https://127.0.0.1:1'],
  ]);
  return {
    kubeconfig,
    allow: (rules) => rotating.allow('admin', rules),
    stop: async () => void (await Promise.all([rotating.stop(), well.stop()])),
  };
}

/** Old roots, pods that hold only them, one that holds a stranger's, and one that does not tell. */
async function startRotating(): Promise<ApiServer> {
  const old = await makeBundle({ at: new Date(stageInstant.getTime() - 344 * dayMs) });
  const files = encodeBundle((await renew(old.files)).bundle);
  const stranger = await makeBundle({ at: stageInstant });
  const server = await startApiServer();
  server.store.put(...runningControlPlane({ bundle: files }));
  const both = String(files.anchors);
  const [onlyOld = '', onlyNew = ''] = splitAnchors(files.anchors, old.files.anchors);
  const pods: InjectedOptions[] = [
    { name: 'checkout', replicas: 6, anchors: both },
    { name: 'cart', replicas: 3, anchors: both },
    { name: 'search', namespace: 'catalog', replicas: 4, anchors: onlyNew },
    { name: 'payments', namespace: 'billing', replicas: 3, anchors: onlyOld },
    { name: 'ledger', namespace: 'billing', replicas: 2, anchors: onlyOld, ownerKind: 'StatefulSet' },
    { name: 'legacy-import', namespace: 'catalog', replicas: 1, anchors: String(stranger.files.anchors) },
    { name: 'debug', replicas: 1, anchors: 'not a certificate', ownerKind: 'none' },
  ];
  server.store.put(...pods.flatMap(injectedWorkload));
  return server;
}

async function startWell(): Promise<ApiServer> {
  const { files } = await makeBundle({ at: new Date(stageInstant.getTime() - 40 * dayMs), rootValidMs: 730 * dayMs });
  const server = await startApiServer();
  server.store.put(...runningControlPlane({ bundle: files }));
  const names = ['api', 'worker', 'notifier', 'mailer'];
  server.store.put(
    ...names.flatMap((name) =>
      injectedWorkload({ name, namespace: 'shop', replicas: 2, anchors: String(files.anchors) }),
    ),
  );
  return server;
}

/** The anchors of a bridged bundle apart: those that were there before, and the new one. */
function splitAnchors(anchors: Buffer, before: Buffer): [string, string] {
  const read = (bytes: Buffer) => visibleCertificatesOf(readCertificateFile('anchors', bytes));
  const known = new Set(read(before).map(({ fingerprint }) => fingerprint));
  const encode = (isOld: boolean) =>
    String(encodeCertificates(read(anchors).filter(({ fingerprint }) => known.has(fingerprint) === isOld)));
  return [encode(true), encode(false)];
}

function writeKubeconfig(path: string, contexts: readonly (readonly [string, ApiServer, string])[]): void {
  const named = contexts.map(([name, server, address]) => {
    const own = parse(readFileSync(server.kubeconfig(), 'utf8'));
    return {
      clusters: { name, cluster: { ...own.clusters[0].cluster, server: address } },
      users: { name, user: own.users[0].user },
      contexts: { name, context: { cluster: name, user: name } },
    };
  });
  const part = (key: 'clusters' | 'users' | 'contexts') => named.map((entry) => entry[key]);
  const merged = { clusters: part('clusters'), users: part('users'), contexts: part('contexts') };
  writeFileSync(path, stringify({ apiVersion: 'v1', kind: 'Config', 'current-context': contexts[0]?.[0], ...merged }));
}
