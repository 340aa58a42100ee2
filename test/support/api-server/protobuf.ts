import type { Page } from './list.ts';
import { isObject, type JsonObject } from './object.ts';

/** Ways of writing that the format allows and that a reader must take. */
export interface ProtobufStyle {
  /** Fields of a message in the order of their numbers, as Kubernetes writes them, or backwards. */
  readonly order: 'ascending' | 'descending';
  /** Fields of every wire type, under numbers that Kubernetes does not use yet. */
  readonly unknownFields: boolean;
}

export interface PodListEncoder {
  encode(page: Page): Iterable<Buffer>;
}

/** How a value of JSON becomes a field of protobuf. */
type Shape =
  | { readonly as: 'string' | 'integer' | 'boolean' | 'time' | 'raw' }
  | { readonly as: 'message'; readonly fields: Message }
  | { readonly as: 'map' };
interface Field {
  readonly number: number;
  readonly shape: Shape;
  readonly repeated?: boolean;
}
type Message = { readonly [jsonName: string]: Field };

const text = (number: number): Field => ({ number, shape: { as: 'string' } });
const texts = (number: number): Field => ({ number, shape: { as: 'string' }, repeated: true });
const integer = (number: number): Field => ({ number, shape: { as: 'integer' } });
const flag = (number: number): Field => ({ number, shape: { as: 'boolean' } });
const time = (number: number): Field => ({ number, shape: { as: 'time' } });
const map = (number: number): Field => ({ number, shape: { as: 'map' } });
const message = (number: number, fields: Message): Field => ({ number, shape: { as: 'message', fields } });
const messages = (number: number, fields: Message): Field => ({
  number,
  shape: { as: 'message', fields },
  repeated: true,
});

/** k8s.io/api/core/v1/generated.proto, as far as these tests' pods go. */
const objectMeta: Message = {
  name: text(1),
  generateName: text(2),
  namespace: text(3),
  uid: text(5),
  resourceVersion: text(6),
  generation: integer(7),
  creationTimestamp: time(8),
  deletionTimestamp: time(9),
  labels: map(11),
  annotations: map(12),
  ownerReferences: messages(13, {
    kind: text(1),
    name: text(3),
    uid: text(4),
    apiVersion: text(5),
    controller: flag(6),
    blockOwnerDeletion: flag(7),
  }),
  finalizers: texts(14),
  managedFields: messages(17, {
    manager: text(1),
    operation: text(2),
    apiVersion: text(3),
    time: time(4),
    fieldsType: text(6),
    fieldsV1: { number: 7, shape: { as: 'raw' } },
  }),
};

const container: Message = {
  name: text(1),
  image: text(2),
  command: texts(3),
  args: texts(4),
  workingDir: text(5),
  ports: messages(6, { name: text(1), hostPort: integer(2), containerPort: integer(3), protocol: text(4) }),
  env: messages(7, {
    name: text(1),
    value: text(2),
    valueFrom: message(3, { fieldRef: message(1, { apiVersion: text(1), fieldPath: text(2) }) }),
  }),
  volumeMounts: messages(9, { name: text(1), readOnly: flag(2), mountPath: text(3) }),
  terminationMessagePath: text(13),
  imagePullPolicy: text(14),
  terminationMessagePolicy: text(20),
  restartPolicy: text(24),
};

const containerState: Message = {
  waiting: message(1, { reason: text(1), message: text(2) }),
  running: message(2, { startedAt: time(1) }),
  terminated: message(3, {
    exitCode: integer(1),
    reason: text(3),
    message: text(4),
    startedAt: time(5),
    finishedAt: time(6),
  }),
};

const containerStatus: Message = {
  name: text(1),
  state: message(2, containerState),
  lastState: message(3, containerState),
  ready: flag(4),
  restartCount: integer(5),
  image: text(6),
  imageID: text(7),
  containerID: text(8),
};

const pod: Message = {
  metadata: message(1, objectMeta),
  spec: message(2, {
    containers: messages(2, container),
    restartPolicy: text(3),
    terminationGracePeriodSeconds: integer(4),
    dnsPolicy: text(6),
    serviceAccountName: text(8),
    nodeName: text(10),
    schedulerName: text(19),
    initContainers: messages(20, container),
  }),
  status: message(3, {
    phase: text(1),
    conditions: messages(2, {
      type: text(1),
      status: text(2),
      lastTransitionTime: time(4),
      reason: text(5),
      message: text(6),
    }),
    message: text(3),
    reason: text(4),
    podIP: text(6),
    startTime: time(7),
    containerStatuses: messages(8, containerStatus),
    qosClass: text(9),
    initContainerStatuses: messages(10, containerStatus),
  }),
};

const magic = Buffer.from('k8s\0');

/** Writes lists of pods as Kubernetes does; what several pods share is encoded once. */
export function podListEncoder(style: ProtobufStyle): PodListEncoder {
  const known = new WeakMap<object, Buffer>();

  function encodeMessage(value: JsonObject, fields: Message): Buffer {
    const found = known.get(value);
    if (found) return found;
    const parts = Object.entries(fields)
      .filter(([name]) => value[name] !== undefined && value[name] !== null)
      .sort(([, left], [, right]) => left.number - right.number)
      .map(([name, field]) => encodeField(field, value[name]));
    if (style.order === 'descending') parts.reverse();
    const encoded = Buffer.concat(style.unknownFields ? withUnknown(parts) : parts);
    known.set(value, encoded);
    return encoded;
  }

  function encodeField({ number, shape, repeated }: Field, value: unknown): Buffer {
    if (repeated) return Buffer.concat((value as unknown[]).map((one) => encodeOne(number, shape, one)));
    return encodeOne(number, shape, value);
  }

  function encodeOne(number: number, shape: Shape, value: unknown): Buffer {
    switch (shape.as) {
      case 'string':
        return delimited(number, Buffer.from(String(value)));
      case 'integer':
        return Buffer.concat([varint(number * 8), varint(Number(value))]);
      case 'boolean':
        return Buffer.concat([varint(number * 8), varint(value ? 1 : 0)]);
      case 'time':
        return delimited(number, Buffer.concat([varint(8), varint(Date.parse(String(value)) / 1000)]));
      case 'raw':
        return delimited(number, delimited(1, Buffer.from(JSON.stringify(value))));
      case 'map':
        return Buffer.concat(
          Object.entries(value as Record<string, string>).map((entry) => encodeEntry(number, entry)),
        );
      case 'message':
        return delimited(number, encodeMessage(isObject(value) ? value : {}, shape.fields));
    }
  }

  function encodeEntry(number: number, [key, value]: [string, string]): Buffer {
    const parts = [delimited(1, Buffer.from(key)), delimited(2, Buffer.from(value))];
    return delimited(number, Buffer.concat(style.order === 'descending' ? parts.reverse() : parts));
  }

  return {
    *encode({ resourceVersion, continue: rest, remaining, items }) {
      const head = delimited(
        1,
        encodeMessage(
          { resourceVersion, continue: rest || undefined, remainingItemCount: remaining },
          { resourceVersion: text(2), continue: text(3), remainingItemCount: integer(4) },
        ),
      );
      const pods = items.map((item) => encodeMessage(item, pod));
      const podBytes = pods.reduce((sum, { length }) => sum + 1 + varint(length).length + length, 0);
      const typeMeta = delimited(
        1,
        Buffer.concat([delimited(1, Buffer.from('v1')), delimited(2, Buffer.from('PodList'))]),
      );
      yield Buffer.concat([magic, typeMeta, varint(2 * 8 + 2), varint(head.length + podBytes), head]);
      for (const encoded of pods) yield delimited(2, encoded);
    },
  };
}

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, BigInt(value));
  for (; left > 127n; left >>= 7n) bytes.push(Number(left & 127n) | 128);
  return Buffer.from([...bytes, Number(left)]);
}

export function delimited(number: number, content: Uint8Array): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content]);
}

/** A varint, 64 bits, bytes and 32 bits that no reader of today knows, between the known fields. */
function withUnknown(parts: readonly Buffer[]): Buffer[] {
  const unknown = [
    Buffer.concat([varint(201 * 8), varint(2 ** 40)]),
    Buffer.concat([varint(202 * 8 + 1), Buffer.alloc(8, 0xff)]),
    delimited(203, Buffer.from('not known yet')),
    Buffer.concat([varint(204 * 8 + 5), Buffer.alloc(4, 0x0a)]),
  ];
  return [...parts.flatMap((part, index) => [unknown[index % unknown.length] as Buffer, part]), ...unknown];
}
