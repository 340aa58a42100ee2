import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { describeAnswers } from '../support/api-server/answers.ts';
import { apiVersionOf, kindOf } from '../support/api-server/kinds.ts';
import { openRawClient, type ServerTarget } from '../support/api-server/raw-client.ts';
import { injectedWorkload, type OwnerKind } from '../support/dapr/injected-pods.ts';
import type { Manifest } from '../support/dapr/manifest.ts';
import { controlPlaneObjects } from '../support/dapr-control-plane.ts';
import { readForeignBundle } from '../support/fixtures.ts';
import { whyNoCluster } from './build-programs.ts';
import { startCluster, type TestCluster } from './start-cluster.ts';

let started: Promise<TestCluster> | undefined;
afterAll(async () => (await started)?.stop());

async function open(): Promise<ServerTarget> {
  started ??= startCluster();
  const cluster = await started;
  const everything = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];
  const tokenOf = async (name: string, grants: Parameters<TestCluster['addUser']>[1]): Promise<string> =>
    parse(readFileSync(await cluster.addUser(name, grants, { credentials: 'token' }), 'utf8')).users[0].user.token;
  return {
    server: cluster.server,
    ca: readFileSync(cluster.caFile, 'utf8'),
    token: await tokenOf('everything', everything),
    strangerToken: await tokenOf('stranger', []),
  };
}

const missing = await whyNoCluster();

/** What the tests' own server is built after: the same questions, asked of a real one. */
describe.skipIf(missing !== undefined)(missing ?? 'a real kube-apiserver', () => {
  describeAnswers('a real one', open);

  test.each(['1.9.6', '1.11.6', '1.17.13', '1.18.3'])(
    'takes the control plane of Dapr %s, and pods with sidecars, to the last field',
    async (version) => {
      const client = openRawClient(await open());
      for (const name of ['dapr-system', 'shop'])
        await client.send('POST', '/api/v1/namespaces', { body: { metadata: { name } } });
      const refusals: string[] = [];
      for (const object of objectsOf(version)) {
        const answer = await client.send('POST', `${collectionOf(object)}?dryRun=All&fieldValidation=Strict`, {
          body: object,
        });
        if (answer.code !== 201) refusals.push(`${object.kind} ${object.metadata.name}: ${answer.json?.message}`);
      }
      client.close();
      expect(refusals).toEqual([]);
    },
  );
});

/** Of custom resources that nobody has defined here, and the namespace that is there already. */
const unknownKinds = ['Namespace', 'Configuration', 'Rollout'];

function objectsOf(version: string): Manifest[] {
  const wishes = { version, bundle: readForeignBundle('sentry-1.17'), dashboard: true };
  const odd = {
    ha: true,
    variant: 'mariner',
    registry: 'registry.example:5000/dapr',
    digest: `sha256:${'a'.repeat(64)}`,
    issuerFilenames: { ca: 'a', cert: 'b', key: 'c' },
    extraContainer: { name: 'mesh', image: 'mesh' },
  } as const;
  const ownerKinds: readonly OwnerKind[] = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'Rollout', 'none'];
  return [
    ...controlPlaneObjects(wishes),
    ...controlPlaneObjects({ ...wishes, ...odd }),
    ...ownerKinds.flatMap((ownerKind) =>
      injectedWorkload({ anchors: 'PEM', version, ownerKind, isNative: true, managedFields: true }),
    ),
  ].filter(({ kind }) => !unknownKinds.includes(kind));
}

function collectionOf(object: Manifest): string {
  const kind = kindOf(object);
  const group = kind.group === '' ? '/api/v1' : `/apis/${apiVersionOf(kind)}`;
  return `${group}${kind.namespaced ? `/namespaces/${object.metadata.namespace}` : ''}/${kind.plural}`;
}
