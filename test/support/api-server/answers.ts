import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  openRawClient,
  patchHeaders,
  type RawAnswer,
  type RawClient,
  type RawRequest,
  type ServerTarget,
} from './raw-client.ts';

/** What a question may refer to: a namespace of its own, and the Secret that was made for it. */
interface Scene {
  readonly namespace: string;
  readonly secret: {
    readonly path: string;
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
}

type Question = readonly [method: string, path: string, wishes?: RawRequest];

interface Case {
  readonly does: string;
  /** What the Secret is made with, beside its one key. */
  readonly given?: object;
  readonly ask: (scene: Scene) => Question;
  readonly code: number;
  /** What is in the answer, among other things. */
  readonly answer?: (scene: Scene) => object;
  /** What the Secret holds afterwards. */
  readonly leaves?: object;
}

const value = 'djE=';
const longValue = Buffer.alloc(1024 * 1024 + 1, 'x').toString('base64');
const merge = (body: object | string): RawRequest => ({ body, headers: patchHeaders('merge') });
const strategic = (body: object): RawRequest => ({ body, headers: patchHeaders('strategic') });
const metadataOnly = (kind: string) => ({
  headers: { accept: `application/json;as=${kind};g=meta.k8s.io;v=v1, application/json` },
});
const secretsIn = (namespace: string) => `/api/v1/namespaces/${namespace}/secrets`;
const failed = (reason: string, message: string, details?: object) => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  reason,
  message,
  ...(details ? { details } : {}),
});
const modified = (name: string) =>
  failed(
    'Conflict',
    `Operation cannot be fulfilled on secrets "${name}": the object has been modified; please apply your changes to the latest version and try again`,
    { name, kind: 'secrets' },
  );
const gone = { reason: 'NotFound', code: 404 };
const immutable = 'field is immutable when `immutable` is set';

const cases: readonly Case[] = [
  {
    does: 'shows an object with what the server adds to it',
    ask: ({ secret }) => ['GET', secret.path],
    code: 200,
    answer: ({ namespace, secret: { name, uid, resourceVersion } }) => ({
      kind: 'Secret',
      apiVersion: 'v1',
      metadata: { name, namespace, uid, resourceVersion, creationTimestamp: expect.stringMatching(/^\d{4}-.*Z$/) },
      type: 'Opaque',
      data: { key: value },
    }),
  },
  {
    does: 'shows only the metadata where that is asked for',
    ask: ({ secret }) => ['GET', secret.path, metadataOnly('PartialObjectMetadata')],
    code: 200,
    answer: ({ secret: { name, uid } }) => ({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { name, uid },
    }),
  },
  {
    does: 'knows no such object',
    ask: ({ namespace }) => ['GET', `${secretsIn(namespace)}/none`],
    code: 404,
    answer: () => failed('NotFound', 'secrets "none" not found', { name: 'none', kind: 'secrets' }),
  },
  {
    does: 'names the group of what it does not know',
    ask: ({ namespace }) => ['GET', `/apis/apps/v1/namespaces/${namespace}/deployments/none`],
    code: 404,
    answer: () =>
      failed('NotFound', 'deployments.apps "none" not found', { name: 'none', group: 'apps', kind: 'deployments' }),
  },
  {
    does: 'knows no such path',
    ask: () => ['GET', '/apis/nowhere.example/v1/things'],
    code: 404,
  },
  {
    does: 'creates no object in a namespace that is not there',
    ask: () => ['POST', secretsIn('not-there'), { body: { metadata: { name: 'x' } } }],
    code: 404,
    answer: () => failed('NotFound', 'namespaces "not-there" not found', { name: 'not-there', kind: 'namespaces' }),
  },
  {
    does: 'creates no object twice',
    ask: ({ namespace, secret: { name } }) => ['POST', secretsIn(namespace), { body: { metadata: { name } } }],
    code: 409,
    answer: ({ secret: { name } }) =>
      failed('AlreadyExists', `secrets "${name}" already exists`, { name, kind: 'secrets' }),
    leaves: { data: { key: value } },
  },
  {
    does: 'makes up the rest of a name',
    ask: ({ namespace }) => ['POST', secretsIn(namespace), { body: { metadata: { generateName: 'made-' } } }],
    code: 201,
    answer: () => ({ metadata: { generateName: 'made-', name: expect.stringMatching(/^made-[a-z0-9]{5}$/) } }),
  },
  {
    does: 'encodes stringData',
    ask: ({ namespace }) => [
      'POST',
      secretsIn(namespace),
      { body: { metadata: { generateName: 'text-' }, stringData: { key: 'v1' } } },
    ],
    code: 201,
    answer: () => ({ data: { key: value }, type: 'Opaque' }),
  },
  {
    does: 'does not read bad base64',
    ask: ({ namespace }) => [
      'POST',
      secretsIn(namespace),
      { body: { metadata: { generateName: 'bad-' }, data: { key: '@' } } },
    ],
    code: 400,
    answer: () => ({ reason: 'BadRequest', message: expect.stringContaining('illegal base64 data at input byte 0') }),
  },
  {
    does: 'takes only names that are DNS names',
    ask: ({ namespace }) => ['POST', secretsIn(namespace), { body: { metadata: { name: 'Not_A_Name' } } }],
    code: 422,
    answer: () => ({
      reason: 'Invalid',
      details: {
        name: 'Not_A_Name',
        kind: 'Secret',
        causes: [{ reason: 'FieldValueInvalid', field: 'metadata.name' }],
      },
    }),
  },
  {
    does: 'refuses a body over 3 MiB',
    ask: ({ namespace }) => [
      'POST',
      secretsIn(namespace),
      { body: `{"metadata":{"name":"x"},"pad":"${'x'.repeat(3 << 20)}"}` },
    ],
    code: 413,
    answer: () => ({ reason: 'RequestEntityTooLarge', message: 'Request entity too large: limit is 3145728' }),
  },
  {
    does: 'refuses a Secret over 1 MiB',
    ask: ({ secret }) => ['PATCH', secret.path, merge({ data: { long: longValue } })],
    code: 422,
    answer: ({ secret: { name } }) =>
      failed('Invalid', `Secret "${name}" is invalid: data: Too long: may not be more than 1048576 bytes`, {
        name,
        kind: 'Secret',
        causes: [
          { reason: 'FieldValueTooLong', message: 'Too long: may not be more than 1048576 bytes', field: 'data' },
        ],
      }),
  },
  {
    does: 'refuses a ConfigMap over 1 MiB, and names no field',
    ask: ({ namespace }) => [
      'POST',
      `/api/v1/namespaces/${namespace}/configmaps`,
      { body: { metadata: { name: 'long' }, data: { long: 'x'.repeat(1024 * 1024 + 1) } } },
    ],
    code: 422,
    answer: () => ({
      message: 'ConfigMap "long" is invalid: []: Too long: may not be more than 1048576 bytes',
      details: { causes: [{ reason: 'FieldValueTooLong', field: '[]' }] },
    }),
  },
  {
    does: 'merges a patch, and takes away what is null',
    given: { data: { key: value, old: value } },
    ask: ({ secret }) => ['PATCH', secret.path, merge({ data: { new: value, old: null } })],
    code: 200,
    answer: () => ({ data: { key: value, new: value } }),
    leaves: { data: { key: value, new: value } },
  },
  {
    does: 'carries a patch out on the state that it names',
    ask: ({ secret }) => [
      'PATCH',
      secret.path,
      merge({ metadata: { resourceVersion: secret.resourceVersion }, data: { key: 'djI=' } }),
    ],
    code: 200,
    leaves: { data: { key: 'djI=' } },
  },
  {
    does: 'does not carry it out on another state',
    ask: ({ secret }) => ['PATCH', secret.path, merge({ metadata: { resourceVersion: '1' }, data: { key: 'djI=' } })],
    code: 409,
    answer: ({ secret: { name } }) => modified(name),
    leaves: { data: { key: value } },
  },
  {
    does: 'refuses another state even where nothing would change',
    ask: ({ secret }) => ['PATCH', secret.path, strategic({ metadata: { resourceVersion: '1' } })],
    code: 409,
    answer: ({ secret: { name } }) => modified(name),
  },
  {
    does: 'refuses a patch for an object of another uid',
    ask: ({ secret }) => ['PATCH', secret.path, merge({ metadata: { uid: 'another' } })],
    code: 422,
    answer: () => ({
      reason: 'Invalid',
      details: {
        causes: expect.arrayContaining([
          expect.objectContaining({ reason: 'FieldValueInvalid', field: 'metadata.uid' }),
        ]),
      },
    }),
  },
  {
    does: 'writes nothing in a dry run',
    ask: ({ secret }) => ['PATCH', `${secret.path}?dryRun=All`, merge({ data: { key: 'djI=' } })],
    code: 200,
    answer: () => ({ data: { key: 'djI=' } }),
    leaves: { data: { key: value } },
  },
  {
    does: 'knows one dry run only',
    ask: ({ secret }) => ['PATCH', `${secret.path}?dryRun=Some`, merge({ data: { key: 'djI=' } })],
    code: 422,
    leaves: { data: { key: value } },
  },
  {
    does: 'has no object to patch',
    ask: ({ namespace }) => ['PATCH', `${secretsIn(namespace)}/none`, merge({ data: {} })],
    code: 404,
    answer: () => failed('NotFound', 'secrets "none" not found', { name: 'none', kind: 'secrets' }),
  },
  {
    does: 'does not know a patch without its type',
    ask: ({ secret }) => ['PATCH', secret.path, { body: { data: {} } }],
    code: 415,
    answer: () => ({ reason: 'UnsupportedMediaType' }),
  },
  {
    does: 'says in the refusal of bad base64 what is in the whole Secret',
    ask: ({ secret }) => ['PATCH', secret.path, merge({ data: { other: '@' } })],
    code: 422,
    answer: () => ({
      reason: 'Invalid',
      message: expect.stringMatching(
        /^ "" is invalid: patch: Invalid value: .*djE=.*illegal base64 data at input byte 0/s,
      ),
      details: { causes: [{ reason: 'FieldValueInvalid', field: 'patch' }] },
    }),
    leaves: { data: { key: value } },
  },
  {
    does: 'keeps the data of an immutable Secret',
    given: { immutable: true },
    ask: ({ secret }) => ['PATCH', secret.path, merge({ data: { key: 'djI=' } })],
    code: 422,
    answer: ({ secret: { name } }) =>
      failed('Invalid', `Secret "${name}" is invalid: data: Forbidden: ${immutable}`, {
        name,
        kind: 'Secret',
        causes: [{ reason: 'FieldValueForbidden', message: `Forbidden: ${immutable}`, field: 'data' }],
      }),
    leaves: { data: { key: value } },
  },
  {
    does: 'keeps an immutable Secret immutable',
    given: { immutable: true },
    ask: ({ secret }) => ['PATCH', secret.path, merge({ immutable: null })],
    code: 422,
    answer: () => ({ details: { causes: [{ reason: 'FieldValueForbidden', field: 'immutable' }] } }),
  },
  {
    does: 'changes the labels of an immutable Secret',
    given: { immutable: true },
    ask: ({ secret }) => ['PATCH', secret.path, merge({ metadata: { labels: { a: 'b' } } })],
    code: 200,
    leaves: { metadata: { labels: { a: 'b' } }, data: { key: value } },
  },
  {
    does: 'replaces an object, blindly where no state is named',
    ask: ({ secret: { path, name } }) => ['PUT', path, { body: { metadata: { name }, data: { other: value } } }],
    code: 200,
    leaves: { data: { other: value } },
  },
  {
    does: 'does not replace another state',
    ask: ({ secret: { path, name } }) => [
      'PUT',
      path,
      { body: { metadata: { name, resourceVersion: '1' }, data: {} } },
    ],
    code: 409,
    answer: ({ secret: { name } }) => modified(name),
    leaves: { data: { key: value } },
  },
  {
    does: 'deletes an object',
    ask: ({ secret }) => ['DELETE', secret.path],
    code: 200,
    answer: ({ secret: { name, uid } }) => ({
      kind: 'Status',
      status: 'Success',
      details: { name, kind: 'secrets', uid },
    }),
    leaves: gone,
  },
  {
    does: 'deletes exactly the object and the state that are named',
    ask: ({ secret: { path, uid, resourceVersion } }) => [
      'DELETE',
      path,
      { body: { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid, resourceVersion } } },
    ],
    code: 200,
    leaves: gone,
  },
  {
    does: 'does not delete another object of that name',
    ask: ({ secret }) => ['DELETE', secret.path, { body: { preconditions: { uid: 'another' } } }],
    code: 409,
    answer: () => ({ reason: 'Conflict', message: expect.stringContaining('the UID in the precondition (another)') }),
    leaves: { data: { key: value } },
  },
  {
    does: 'does not delete another state of the object',
    ask: ({ secret }) => ['DELETE', secret.path, { body: { preconditions: { resourceVersion: '1' } } }],
    code: 409,
    answer: () => ({
      reason: 'Conflict',
      message: expect.stringContaining('the ResourceVersion in the precondition (1)'),
    }),
    leaves: { data: { key: value } },
  },
  {
    does: 'deletes nothing in a dry run',
    ask: ({ secret }) => ['DELETE', `${secret.path}?dryRun=All`],
    code: 200,
    leaves: { data: { key: value } },
  },
  {
    does: 'deletes nothing in a dry run that the body asks for',
    ask: ({ secret }) => ['DELETE', secret.path, { body: { dryRun: ['All'] } }],
    code: 200,
    leaves: { data: { key: value } },
  },
  {
    does: 'passes over the query where a deletion has a body, dry run or not',
    ask: ({ secret: { path, uid } }) => ['DELETE', `${path}?dryRun=All`, { body: { preconditions: { uid } } }],
    code: 200,
    leaves: gone,
  },
  {
    does: 'has no object to delete',
    ask: ({ namespace }) => ['DELETE', `${secretsIn(namespace)}/none`],
    code: 404,
  },
  {
    does: 'refuses a token that nobody has',
    ask: ({ secret }) => ['GET', secret.path, { token: 'nobody' }],
    code: 401,
    answer: () => ({ ...failed('Unauthorized', 'Unauthorized'), code: 401 }),
  },
  {
    does: 'lets nobody in without a name',
    ask: ({ secret }) => ['GET', secret.path, { token: null }],
    code: 403,
    answer: () => ({ reason: 'Forbidden', message: expect.stringContaining('User "system:anonymous" cannot get') }),
  },
  {
    does: 'refuses a body that is no JSON',
    ask: ({ namespace }) => ['POST', secretsIn(namespace), { body: 'not JSON' }],
    code: 400,
    answer: () => ({ reason: 'BadRequest' }),
  },
  {
    does: 'does not select by a field that it does not know',
    ask: ({ namespace }) => ['GET', `${secretsIn(namespace)}?fieldSelector=data.key%3Dx`],
    code: 400,
    answer: () => ({ reason: 'BadRequest' }),
  },
  {
    does: 'answers in JSON and a few other types only',
    ask: ({ secret }) => ['GET', secret.path, { headers: { accept: 'text/html' } }],
    code: 406,
    answer: () => ({ reason: 'NotAcceptable' }),
  },
];

/** Of the group `coordination.k8s.io`: what a lock rests on. */
const leases = (namespace: string) => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
const lease = (name: string, spec: object): RawRequest => ({ body: { metadata: { name }, spec } });

const leaseCases: readonly Case[] = [
  {
    does: 'keeps a Lease as it is given, and counts no generation of it',
    ask: ({ namespace }) => [
      'POST',
      leases(namespace),
      lease('kept', {
        holderIdentity: 'somebody',
        leaseDurationSeconds: 15,
        acquireTime: '2026-11-22T01:02:03.004000Z',
        renewTime: '2026-11-22T01:02:03.004005Z',
        leaseTransitions: 0,
      }),
    ],
    code: 201,
    answer: () => ({
      kind: 'Lease',
      apiVersion: 'coordination.k8s.io/v1',
      metadata: expect.not.objectContaining({ generation: expect.anything() }),
      spec: {
        holderIdentity: 'somebody',
        leaseDurationSeconds: 15,
        acquireTime: '2026-11-22T01:02:03.004000Z',
        renewTime: '2026-11-22T01:02:03.004005Z',
        leaseTransitions: 0,
      },
    }),
  },
  {
    does: 'does not read a time of a Lease in milliseconds',
    ask: ({ namespace }) => ['POST', leases(namespace), lease('milli', { renewTime: '2026-11-22T01:02:03.004Z' })],
    code: 400,
    answer: () => ({ reason: 'BadRequest' }),
  },
  {
    does: 'takes no Lease that lasts no time',
    ask: ({ namespace }) => ['POST', leases(namespace), lease('short', { leaseDurationSeconds: 0 })],
    code: 422,
    answer: () => ({
      details: { causes: [{ reason: 'FieldValueInvalid', field: 'spec.leaseDurationSeconds' }] },
    }),
  },
];

/** Holds a server to what this program relies on. One suite for the tests' own server and for a real one. */
export function describeAnswers(name: string, open: () => Promise<ServerTarget>): void {
  describe(`${name}: the API server`, () => {
    let target: ServerTarget;
    let client: RawClient;
    let namespace: string;
    let made = 0;

    beforeAll(async () => {
      target = await open();
      client = openRawClient(target);
      const body = { metadata: { generateName: 'contract-' } };
      namespace = (await client.send('POST', '/api/v1/namespaces', { body })).json.metadata.name;
    });
    afterAll(() => client.close());

    async function makeSecret(given: object = {}): Promise<Scene['secret']> {
      made += 1;
      const body = { metadata: { name: `secret-${made}` }, data: { key: value }, ...given };
      const { json } = await client.send('POST', secretsIn(namespace), { body });
      const { name, uid, resourceVersion } = json.metadata;
      return { path: `${secretsIn(namespace)}/${name}`, name, uid, resourceVersion };
    }

    test.each([...cases, ...leaseCases])('$does ($code)', async ({ given, ask, code, answer, leaves }) => {
      const scene: Scene = { namespace, secret: await makeSecret(given) };
      const answered = await client.send(...ask(scene));
      expect({ code: answered.code, ...(answer ? { body: answered.json } : {}) }).toMatchObject({
        code,
        ...(answer ? { body: answer(scene) } : {}),
      });
      if (leaves) expect((await client.send('GET', scene.secret.path)).json).toMatchObject(leaves);
    });

    test.each([
      ['GET', (path: string) => path, 'get'],
      ['PATCH', (path: string) => path, 'patch'],
      ['DELETE', (path: string) => path, 'delete'],
      ['GET', (path: string) => path.replace(/\/secret-\d+$/, ''), 'list'],
    ])('names what a user may not do: %s, %#', async (method, pathFrom, verb) => {
      const { path, name } = await makeSecret();
      const body = method === 'PATCH' ? { body: {}, headers: patchHeaders('merge') } : {};
      const answered = await client.send(method, pathFrom(path), { ...body, token: target.strangerToken });
      const what = verb === 'list' ? 'secrets' : `secrets "${name}"`;
      expect(answered.json).toMatchObject({
        ...failed(
          'Forbidden',
          expect.stringMatching(
            new RegExp(
              `^${what} is forbidden: User "[^"]+" cannot ${verb} resource "secrets" in API group "" in the namespace "${namespace}"`,
            ),
          ) as unknown as string,
          { kind: 'secrets', ...(verb === 'list' ? {} : { name }) },
        ),
        code: 403,
      });
    });

    test('a write gives an object a new resourceVersion, and one that changes nothing does not', async () => {
      const { path, resourceVersion } = await makeSecret();
      const same = await client.send('PATCH', path, merge({ data: { key: value } }));
      expect(same.json.metadata.resourceVersion).toBe(resourceVersion);
      const other = await client.send('PATCH', path, merge({ data: { key: 'djI=' } }));
      expect(other.json.metadata.resourceVersion).not.toBe(resourceVersion);
    });

    test('a Deployment counts its changes but not its status, and merges containers by name', async () => {
      const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
      const made = await client.send('POST', path, { body: deployment('counted') });
      expect(made.json).toMatchObject({ metadata: { generation: 1 }, spec: { replicas: 1 } });
      const restart = {
        spec: { template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': 'now' } } } },
      };
      const restarted = await client.send('PATCH', `${path}/counted`, strategic(restart));
      expect(restarted.json.metadata.generation).toBe(2);
      const image = { spec: { template: { spec: { containers: [{ name: 'two', image: 'new' }] } } } };
      const changed = await client.send('PATCH', `${path}/counted`, strategic(image));
      expect(changed.json.spec.template).toMatchObject({
        metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': 'now' } },
        spec: {
          containers: [
            { name: 'one', image: 'old' },
            { name: 'two', image: 'new' },
          ],
        },
      });
      const marked = await client.send('PATCH', `${path}/counted`, merge({ metadata: { labels: { a: 'b' } } }));
      expect(marked.json.metadata.generation).toBe(3);
      const status = await client.send('PATCH', `${path}/counted/status`, merge({ status: { observedGeneration: 3 } }));
      expect(status.json).toMatchObject({ metadata: { generation: 3 }, status: { observedGeneration: 3 } });
      const blind = await client.send('PATCH', `${path}/counted`, merge({ status: { observedGeneration: 9 } }));
      expect(blind.json.status.observedGeneration).toBe(3);
      await client.send('DELETE', `${path}/counted`);
    });

    describe('lists', () => {
      let path: string;
      beforeAll(async () => {
        const body = { metadata: { generateName: 'listed-' } };
        const own = (await client.send('POST', '/api/v1/namespaces', { body })).json.metadata.name;
        path = `/api/v1/namespaces/${own}/configmaps`;
        for (const [index, name] of ['a', 'b', 'c', 'd', 'e'].entries()) {
          const labels = { place: String(index), ...(index % 2 ? { odd: 'yes' } : {}) };
          await client.send('POST', path, { body: { metadata: { name: `l-${name}`, labels } } });
        }
      });
      const namesIn = ({ json }: RawAnswer) =>
        json.items
          .map(({ metadata }: { metadata: { name: string } }) => metadata.name)
          .filter((name: string) => name.startsWith('l-'));
      const ask = (query: string, wishes?: RawRequest) => client.send('GET', `${path}?${query}`, wishes);

      test('have a revision, and items that do not say their kind', async () => {
        const { json } = await ask('');
        expect(json).toMatchObject({
          kind: 'ConfigMapList',
          apiVersion: 'v1',
          metadata: { resourceVersion: expect.any(String) },
        });
        expect(json.items[0].kind).toBeUndefined();
      });

      test.each([
        ['odd=yes', ['l-b', 'l-d']],
        ['odd!=yes,place', ['l-a', 'l-c', 'l-e']],
        ['!odd,place', ['l-a', 'l-c', 'l-e']],
        ['place in (0,3)', ['l-a', 'l-d']],
        ['place notin (0,3),place', ['l-b', 'l-c', 'l-e']],
      ])('select by labels: %s', async (selector, names) => {
        expect(namesIn(await ask(`labelSelector=${encodeURIComponent(selector)}`))).toEqual(names);
      });

      test('select by name', async () => {
        expect(namesIn(await ask('fieldSelector=metadata.name%3Dl-c'))).toEqual(['l-c']);
      });

      test('reach over all namespaces', async () => {
        expect(namesIn(await client.send('GET', '/api/v1/configmaps?labelSelector=odd'))).toEqual(['l-b', 'l-d']);
      });

      test('show only metadata where that is asked for', async () => {
        const { json } = await ask('', metadataOnly('PartialObjectMetadataList'));
        expect(json).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' });
        expect(json.items[0]).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: expect.any(String) } });
        expect(json.items[0].data).toBeUndefined();
      });

      test('come in pages of one state, whatever is written in between', async () => {
        const first = await ask('labelSelector=place&limit=2');
        expect(namesIn(first)).toEqual(['l-a', 'l-b']);
        await client.send('POST', path, { body: { metadata: { name: 'l-bb', labels: { place: '9' } } } });
        const second = await ask(
          `labelSelector=place&limit=2&continue=${encodeURIComponent(first.json.metadata.continue)}`,
        );
        expect(namesIn(second)).toEqual(['l-c', 'l-d']);
        expect(second.json.metadata.resourceVersion).toBe(first.json.metadata.resourceVersion);
        const third = await ask(
          `labelSelector=place&limit=2&continue=${encodeURIComponent(second.json.metadata.continue)}`,
        );
        expect(namesIn(third)).toEqual(['l-e']);
        expect(third.json.metadata.continue ?? '').toBe('');
        await client.send('DELETE', `${path}/l-bb`);
      });

      test('come in one piece from resourceVersion=0, whatever the limit', async () => {
        expect(namesIn(await ask('labelSelector=place&limit=2&resourceVersion=0'))).toHaveLength(5);
      });
    });

    describe('watches', () => {
      const typesAndNames = ({ json }: RawAnswer) =>
        json.map(({ type, object }: { type: string; object: { metadata: { name: string } } }) => [
          type,
          object.metadata.name,
        ]);

      test('tell what has happened since a revision, seen through the selector', async () => {
        const path = `/api/v1/namespaces/${namespace}/configmaps`;
        const before = (await client.send('GET', path)).json.metadata.resourceVersion;
        await client.send('POST', path, { body: { metadata: { name: 'seen', labels: { seen: 'yes' } } } });
        await client.send('POST', path, { body: { metadata: { name: 'unseen' } } });
        await client.send('PATCH', `${path}/seen`, merge({ data: { a: 'b' } }));
        await client.send('PATCH', `${path}/seen`, merge({ metadata: { labels: { seen: null } } }));
        const query = `watch=true&labelSelector=seen&timeoutSeconds=1&resourceVersion=${before}`;
        const watched = await client.send('GET', `${path}?${query}`);
        expect(typesAndNames(watched)).toEqual([
          ['ADDED', 'seen'],
          ['MODIFIED', 'seen'],
          ['DELETED', 'seen'],
        ]);
      });

      test('begin with what is there where no revision is named', async () => {
        const { name } = await makeSecret();
        const query = `watch=true&fieldSelector=metadata.name%3D${name}&timeoutSeconds=1`;
        expect(typesAndNames(await client.send('GET', `${secretsIn(namespace)}?${query}`))).toEqual([['ADDED', name]]);
      });
    });

    test('a user learns what it may do', async () => {
      const reviews = '/apis/authorization.k8s.io/v1';
      const rules = await client.send('POST', `${reviews}/selfsubjectrulesreviews`, { body: { spec: { namespace } } });
      expect(rules.code).toBe(201);
      expect(rules.json.status.resourceRules).toContainEqual(
        expect.objectContaining({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }),
      );
      const asked = { spec: { resourceAttributes: { namespace, verb: 'get', resource: 'secrets' } } };
      const own = await client.send('POST', `${reviews}/selfsubjectaccessreviews`, { body: asked });
      expect(own.json.status.allowed).toBe(true);
      const others = await client.send('POST', `${reviews}/selfsubjectaccessreviews`, {
        body: asked,
        token: target.strangerToken,
      });
      expect(others).toMatchObject({ code: 201, json: { status: { allowed: false } } });
    });
  });
}

function deployment(name: string): object {
  const labels = { app: name };
  const containers = [
    { name: 'one', image: 'old' },
    { name: 'two', image: 'old' },
  ];
  return {
    metadata: { name },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  };
}
