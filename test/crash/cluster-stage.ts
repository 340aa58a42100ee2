import { expect } from 'vitest';
import type { KubeObject } from '../../src/kube/port.ts';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { whySentryRefuses } from '../../src/pki/sentry.ts';
import { claimOf } from '../../src/store/cluster/claim.ts';
import { keeperRef } from '../../src/store/cluster/keeper.ts';
import {
  type ConfigMapObject,
  configMapRef,
  filesOf,
  type SecretObject,
  secretRef,
} from '../../src/store/cluster/objects.ts';
import { defaultNames } from '../../src/store/file-names.ts';
import { type ApiRequest, isWriting } from '../support/api-server/request.ts';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { type MadeBundle, makeBundle } from '../support/bundles.ts';
import { behindServer, startSentryOnce } from '../support/cluster-sentry.ts';
import { runningControlPlane } from '../support/dapr-control-plane.ts';
import type { Outcome, Program, Run } from '../support/program.ts';

const place = { namespace: 'dapr-system' };

/** A control plane on the tests' API server, for the built program. */
export interface Stage {
  readonly server: ApiServer;
  /** Puts everything back: a fresh bundle, no copy, no claim. */
  reset(): Promise<MadeBundle>;
  start(words: readonly string[]): Run;
  run(words: readonly string[]): Promise<Outcome>;
  files(): ReturnType<typeof filesOf>;
  configMap(): ConfigMapObject | undefined;
  changeConfigMap(edit: (configMap: ConfigMapObject) => object): void;
  removeSecret(): void;
  removeConfigMap(): void;
  /** Starts a Sentry on what stands there. */
  sentry(): ReturnType<typeof startSentryOnce>;
  expectWhole(): void;
  stop(): Promise<void>;
}

/** @param pauseMs between the writes of Secret and ConfigMap: the model Sentry takes no time at all */
export async function openStage(program: Program, version = '1.17.13', pauseMs = 50): Promise<Stage> {
  const server = await startApiServer();
  const env = { KUBECONFIG: server.kubeconfig(), DAPR_MTLS_TEST_CLUSTER_PAUSE_MS: String(pauseMs) };
  const hasConfigMap = !version.startsWith('1.11');
  const get = <T extends KubeObject>(ref: Parameters<typeof server.store.get>[0]) => server.store.get<T>(ref);
  const files = () => filesOf(get<SecretObject>(secretRef(place)), defaultNames);
  const configMap = () => get<ConfigMapObject>(configMapRef(place));
  const start = (words: readonly string[]) => program.start(words, { cwd: program.home, env });
  return {
    server,
    reset: async () => {
      const made = await makeBundle({ at: new Date() });
      if (get(keeperRef(place))) server.store.remove(keeperRef(place));
      server.store.put(...(runningControlPlane({ version, bundle: made.files }) as readonly KubeObject[]));
      return made;
    },
    start,
    run: (words) => start(words).ended,
    files,
    configMap,
    changeConfigMap: (edit) => server.store.change<ConfigMapObject>(configMapRef(place), edit),
    removeSecret: () => server.store.remove(secretRef(place)),
    removeConfigMap: () => server.store.remove(configMapRef(place)),
    sentry: () => startSentryOnce(behindServer(server.store), place, 0),
    expectWhole: () => {
      const { anchors, issuerChain, issuerKey } = expectParts(files());
      expect(whySentryRefuses({ anchors, issuerChain, issuerKey }, new Date())).toBeUndefined();
      if (hasConfigMap) expect(configMap()?.data?.['ca.crt']).toBe(anchors.toString('utf8'));
      else expect(configMap()).toBeUndefined();
      expect(claimOf(get<SecretObject>(keeperRef(place)))).toBeUndefined();
    },
    stop: () => server.stop(),
  };
}

export function expectParts({ anchors, issuerChain, issuerKey }: ReturnType<typeof filesOf>): BundleFiles {
  if (!anchors || !issuerChain || !issuerKey) throw new Error('a part of the bundle is missing');
  return { anchors, issuerChain, issuerKey };
}

/** What the server stores at: a dry run is none. */
export function isWrite(request: ApiRequest): boolean {
  return isWriting(request) && !request.query.has('dryRun');
}

/** `delete configmaps/dapr-trust-bundle`: a write in a word. */
export function describeWrite({ target }: ApiRequest): string {
  return `${target?.verb} ${target?.kind.plural}/${target?.name || '(new)'}`;
}

/** Calls back when the n-th write has come in and is not carried out yet, counted from 1. */
export function onWrite(
  server: ApiServer,
  fatal: number,
  act: (request: ApiRequest) => void | Promise<void>,
): () => void {
  let seen = 0;
  return server.onRequest(async (request) => {
    if (!isWrite(request)) return;
    seen += 1;
    if (seen === fatal) await act(request);
  });
}
