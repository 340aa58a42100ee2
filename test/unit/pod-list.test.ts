import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DaprMtlsError } from '../../src/errors.ts';
import { factsOfPod, labelNames, type PodFacts, type PodObject } from '../../src/kube/pods/pod-facts.ts';
import { decodePodList } from '../../src/kube/pods/protobuf/pod-list.ts';
import {
  bytesField,
  encodeItems,
  encodePod,
  encodePodList,
  encodeUnknown,
  plainPenmanship,
  varint,
  varintField,
  wildPenmanship,
  write,
} from '../support/pod-wire.ts';
import { randomSeed } from '../support/seed.ts';

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function decode(bytes: Buffer, size = 65_536): Promise<PodFacts[]> {
  const pods: PodFacts[] = [];
  for await (const batch of decodePodList(inPieces(bytes, size))) pods.push(...batch);
  return pods;
}

/** What the whole list says, read by JSON.parse: the reference. */
function reference(pods: readonly PodObject[]): PodFacts[] {
  const { items } = JSON.parse(JSON.stringify({ items: pods })) as { items: PodObject[] };
  return items.map(factsOfPod);
}

const text = fc.oneof(fc.string({ maxLength: 12 }), fc.string({ unit: 'grapheme', maxLength: 6 }));
const key = fc.oneof(fc.stringMatching(/^[a-z]{1,8}$/), fc.constantFrom(...labelNames));
const instant = fc
  .date({ min: new Date('1970-01-01'), max: new Date('2200-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString().replace(/\.\d+Z$/, 'Z'));
const variable = fc.oneof(
  fc.record({ name: fc.constantFrom('DAPR_TRUST_ANCHORS', 'DAPR_TRUST_ANCHORS_FILE', 'NAMESPACE'), value: text }),
  fc.record({ name: fc.constantFrom('DAPR_TRUST_ANCHORS', 'POD_NAME'), valueFrom: fc.constant({ fieldRef: {} }) }),
);
const word = fc.oneof(
  text,
  fc.constantFrom('--app-id', '-app-id', '--app-id=shop', '--app-id=', '--app-idle', '--mode'),
);
const container = fc.record(
  {
    name: fc.constantFrom('daprd', 'app', 'istio-proxy'),
    image: text,
    args: fc.array(word, { maxLength: 6 }),
    env: fc.array(variable, { maxLength: 4 }),
  },
  { requiredKeys: ['name'] },
);
const owner = fc.record(
  { apiVersion: text, kind: text, name: text, uid: text, controller: fc.boolean() },
  { requiredKeys: ['apiVersion', 'kind', 'name', 'uid'] },
);
const pod = fc.record(
  {
    metadata: fc.record(
      {
        name: text,
        namespace: text,
        uid: text,
        creationTimestamp: instant,
        deletionTimestamp: instant,
        labels: fc.dictionary(key, text, { maxKeys: 3, noNullPrototype: true }),
        ownerReferences: fc.array(owner, { maxLength: 2 }),
      },
      { requiredKeys: ['name'] },
    ),
    spec: fc.record(
      {
        nodeName: text,
        containers: fc.array(container, { maxLength: 3 }),
        initContainers: fc.array(container, { maxLength: 2 }),
      },
      { requiredKeys: [] },
    ),
    status: fc.record({ phase: fc.constantFrom('Pending', 'Running', 'Succeeded', 'Failed') }, { requiredKeys: [] }),
  },
  { requiredKeys: ['metadata'] },
) as fc.Arbitrary<PodObject>;

const sample: PodObject = {
  metadata: {
    name: 'checkout-6d8c4db785-2v46w',
    namespace: 'shop',
    uid: '6fa0bef3-3fcd-444b-9cb2-1b5ad28309e8',
    creationTimestamp: '2026-11-22T01:05:23Z',
    labels: { 'dapr.io/sidecar-injected': 'true' },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'checkout', uid: 'u', controller: true }],
  },
  spec: { containers: [{ name: 'daprd', env: [{ name: 'DAPR_TRUST_ANCHORS', value: 'PEM' }] }], nodeName: 'node-2' },
  status: { phase: 'Running' },
};

describe('a list of pods in protobuf', () => {
  test('says the same as JSON, in any order of fields, with unknown ones among them, in any pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(pod, { maxLength: 5 }),
        fc.integer(),
        fc.integer({ min: 1, max: 300 }),
        async (pods, seed, size) => {
          expect(await decode(encodePodList(pods, wildPenmanship(seed)), size)).toEqual(reference(pods));
        },
      ),
      { numRuns: 400 },
    );
  });

  test(`says the same where each chunk that was read is written over (${randomSeed.words})`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(pod, { maxLength: 5 }),
        fc.integer(),
        fc.integer({ min: 1, max: 300 }),
        async (pods, penSeed, size) => {
          const list = encodePodList(pods, wildPenmanship(penSeed));
          const known = new Set<Buffer>();
          const chunks = (async function* () {
            for await (const piece of inPieces(list, size)) {
              const chunk = Buffer.from(piece);
              known.add(chunk);
              yield chunk;
            }
          })();
          const giveBack = (chunk: Buffer) => {
            expect(known.delete(chunk), 'one that never came, or came back before').toBe(true);
            chunk.fill(0xff);
          };
          const read: PodFacts[] = [];
          for await (const batch of decodePodList(chunks, { giveBack })) read.push(...batch);
          expect(read).toEqual(reference(pods));
          expect(known.size).toBeLessThanOrEqual(1);
        },
      ),
      { seed: randomSeed.value, numRuns: 300 },
    );
  });

  test('is read alike wherever its bytes are cut into chunks', async () => {
    const list = encodePodList([sample, sample], wildPenmanship(7));
    const expected = reference([sample, sample]);
    for (let cut = 0; cut <= list.length; cut++) {
      const chunks = (async function* () {
        yield list.subarray(0, cut);
        yield list.subarray(cut);
      })();
      const pods: PodFacts[] = [];
      for await (const batch of decodePodList(chunks)) pods.push(...batch);
      expect(pods).toEqual(expected);
    }
    expect(await decode(list, 1)).toEqual(expected);
  });

  test.each([
    ['plain', plainPenmanship],
    ['wild', wildPenmanship(11)],
  ])('cut off at any byte it is an error and no short tally (%s)', async (_, pen) => {
    const raw = encodeItems([sample, sample], pen);
    const list = encodeUnknown(raw, 'PodList', pen);
    const endOfItems = list.indexOf(raw) + raw.length;
    let refused = 0;
    for (let length = 0; length < list.length; length++) {
      const outcome = await decode(list.subarray(0, length)).catch((error) => error);
      if (outcome instanceof DaprMtlsError) {
        expect(outcome.code).toBe('cluster.rejected');
        refused += 1;
      } else {
        expect(length).toBeGreaterThanOrEqual(endOfItems);
        expect(outcome).toEqual(reference([sample, sample]));
      }
    }
    expect(refused).toBeGreaterThanOrEqual(endOfItems);
  });

  test('with any byte changed it is read, or refused as what it is', async () => {
    const list = encodePodList([sample, sample]);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: list.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (place, change) => {
          const damaged = Buffer.from(list);
          damaged.writeUInt8(damaged.readUInt8(place) ^ change, place);
          const outcome = await decode(damaged, 97).catch((error) => error);
          if (!Array.isArray(outcome)) expect(outcome).toMatchObject({ code: 'cluster.rejected' });
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('is in memory only as far as its pods are being told', async () => {
    const podLength = encodePod(sample, plainPenmanship).length;
    const list = encodePodList(Array.from({ length: 300 }, () => sample));
    const pieceLength = 5 * podLength;
    let read = 0;
    const chunks = (async function* () {
      for await (const piece of inPieces(list, pieceLength)) {
        read += piece.length;
        yield piece;
      }
    })();
    let told = 0;
    for await (const batch of decodePodList(chunks)) {
      told += batch.length;
      expect(read - told * podLength).toBeLessThan(told * 20 + 2 * pieceLength);
    }
    expect(told).toBe(300);
  });

  test('lets go of the stream when its reader has had enough', async () => {
    let closed = false;
    const chunks = (async function* () {
      try {
        for (;;) yield encodePodList([sample]);
      } finally {
        closed = true;
      }
    })();
    for await (const _ of decodePodList(chunks)) break;
    expect(closed).toBe(true);
  });

  test('of more kinds of anchors than are remembered gives each pod its own', async () => {
    const bornWith = (index: number): PodObject => ({
      ...sample,
      spec: { containers: [{ name: 'daprd', env: [{ name: 'DAPR_TRUST_ANCHORS', value: `PEM ${index % 40}` }] }] },
    });
    const pods = Array.from({ length: 120 }, (_, index) => bornWith(index));
    expect(await decode(encodePodList(pods), 500)).toEqual(reference(pods));
  });

  test('remembers anchors, and not the place where they lay and others came to lie', async () => {
    const bornWith = (index: number): PodObject => ({
      ...sample,
      spec: { containers: [{ name: 'daprd', env: [{ name: 'DAPR_TRUST_ANCHORS', value: `PEM ${index % 10}` }] }] },
    });
    const pods = Array.from({ length: 60 }, (_, index) => bornWith(index));
    const list = encodePodList(pods);
    const first = bytesField(2, encodePod(bornWith(0), plainPenmanship)).bytes;
    const firstAt = list.indexOf(first);
    const free: Buffer[] = [];
    // In each chunk one pod, so that all of them come to lie alike.
    const chunks = (async function* () {
      yield list.subarray(0, firstAt);
      for await (const piece of inPieces(list.subarray(firstAt), first.length)) {
        const chunk = (free.pop() ?? Buffer.alloc(first.length)).subarray(0, piece.length);
        piece.copy(chunk);
        yield chunk;
      }
    })();
    const read: PodFacts[] = [];
    const giveBack = (chunk: Buffer) => void (chunk.length === first.length && free.push(chunk));
    for await (const batch of decodePodList(chunks, { giveBack })) read.push(...batch);
    expect(read).toEqual(reference(pods));
    expect(free.length).toBeLessThan(5);
    expect(free.length).toBeGreaterThan(0);
  });

  test('a message in two parts is merged, as protobuf has it', async () => {
    const name = write([bytesField(1, write([bytesField(1, 'checkout')], plainPenmanship))], plainPenmanship);
    const namespace = write([bytesField(1, write([bytesField(3, 'shop')], plainPenmanship))], plainPenmanship);
    const list = encodeUnknown(bytesField(2, Buffer.concat([name, namespace])).bytes, 'PodList');
    expect(await decode(list)).toMatchObject([{ name: 'checkout', namespace: 'shop' }]);
  });
});

/** A pod, and in it something whose length says more, or less, than there is. */
const podBytes = encodePod(sample, plainPenmanship);
const withLength = (number: number, length: number, content: Buffer) =>
  Buffer.concat([varint(number * 8 + 2), varint(length), content]);
const magic = Buffer.from('k8s\0');

describe('refused', () => {
  test.each([
    ['nothing at all', Buffer.alloc(0)],
    ['JSON', Buffer.from('{"kind":"PodList","items":[]}')],
    ['no list behind the magic', magic],
    ['another kind', encodeUnknown(encodeItems([sample]), 'SecretList')],
    ['a part of the list', encodeUnknown(encodeItems([sample], plainPenmanship, 'token'), 'PodList')],
    ['two lists', Buffer.concat([encodePodList([sample]), bytesField(2, encodeItems([sample])).bytes])],
    ['a content encoding', Buffer.concat([encodePodList([sample]), bytesField(3, 'gzip').bytes])],
    ['a number for the list', Buffer.concat([magic, varintField(2, 9).bytes])],
    ['a number for a pod', encodeUnknown(varintField(2, 9).bytes, 'PodList')],
    [
      'a number for a name',
      encodeUnknown(bytesField(2, bytesField(1, varintField(1, 9).bytes.subarray()).bytes).bytes, 'PodList'),
    ],
    ['a group', encodeUnknown(Buffer.from([8 * 9 + 3]), 'PodList')],
    ['field 0', encodeUnknown(Buffer.from([0, 0]), 'PodList')],
    ['a list longer than the stream', Buffer.concat([magic, withLength(2, 10_000, encodeItems([sample]))])],
    ['a list shorter than its pods', Buffer.concat([magic, withLength(2, 40, encodeItems([sample]))])],
    ['a list of 2^53 bytes', Buffer.concat([magic, withLength(2, 2 ** 53, encodeItems([sample]))])],
    ['a pod longer than the list', encodeUnknown(withLength(2, podBytes.length + 1, podBytes), 'PodList')],
    ['a pod shorter than its parts', encodeUnknown(withLength(2, podBytes.length - 1, podBytes), 'PodList')],
    ['a pod of 1 GiB', Buffer.concat([magic, withLength(2, 2 ** 40, withLength(2, 2 ** 30, podBytes))])],
    ['metadata longer than its pod', encodeUnknown(bytesField(2, withLength(1, 99, Buffer.alloc(9))).bytes, 'PodList')],
    [
      'a name longer than its metadata',
      encodeUnknown(bytesField(2, bytesField(1, withLength(1, 99, Buffer.alloc(9))).bytes).bytes, 'PodList'),
    ],
  ])('%s', async (_, bytes) => {
    await expect(decode(bytes)).rejects.toMatchObject({ code: 'cluster.rejected' });
    await expect(decode(bytes, 1)).rejects.toMatchObject({ code: 'cluster.rejected' });
  });

  test('an error of the connection stays what it is', async () => {
    const cut = new DaprMtlsError('cluster.unreachable', { message: 'reset', hint: 'Try again.' });
    const chunks = (async function* () {
      yield encodePodList([sample]).subarray(0, 60);
      throw cut;
    })();
    const reading = (async () => {
      for await (const _ of decodePodList(chunks));
    })();
    await expect(reading).rejects.toBe(cut);
  });
});
