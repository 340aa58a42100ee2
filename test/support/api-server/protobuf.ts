import type { Page } from './list.ts';
import type { JsonObject } from './object.ts';

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
type Shape = 'string' | 'integer' | 'boolean' | 'time' | 'raw' | 'map' | Message;
interface Field {
  readonly number: number;
  readonly shape: Shape;
}
type Message = { readonly [jsonName: string]: Field };

const field = (shape: Shape) => (number: number) => ({ number, shape });
const text = field('string');
const integer = field('integer');
const flag = field('boolean');
const time = field('time');
const map = field('map');
const message = (number: number, shape: Message): Field => ({ number, shape });

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
  ownerReferences: message(13, {
    kind: text(1),
    name: text(3),
    uid: text(4),
    apiVersion: text(5),
    controller: flag(6),
    blockOwnerDeletion: flag(7),
  }),
  finalizers: text(14),
  managedFields: message(17, {
    manager: text(1),
    operation: text(2),
    apiVersion: text(3),
    time: time(4),
    fieldsType: text(6),
    fieldsV1: { number: 7, shape: 'raw' },
  }),
};

const container: Message = {
  name: text(1),
  image: text(2),
  command: text(3),
  args: text(4),
  workingDir: text(5),
  ports: message(6, { name: text(1), hostPort: integer(2), containerPort: integer(3), protocol: text(4) }),
  env: message(7, {
    name: text(1),
    value: text(2),
    valueFrom: message(3, { fieldRef: message(1, { apiVersion: text(1), fieldPath: text(2) }) }),
  }),
  volumeMounts: message(9, { name: text(1), readOnly: flag(2), mountPath: text(3) }),
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
    containers: message(2, container),
    restartPolicy: text(3),
    terminationGracePeriodSeconds: integer(4),
    dnsPolicy: text(6),
    serviceAccountName: text(8),
    nodeName: text(10),
    schedulerName: text(19),
    initContainers: message(20, container),
  }),
  status: message(3, {
    phase: text(1),
    conditions: message(2, {
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
    containerStatuses: message(8, containerStatus),
    qosClass: text(9),
    initContainerStatuses: message(10, containerStatus),
  }),
};

const listMeta: Message = { resourceVersion: text(2), continue: text(3), remainingItemCount: integer(4) };
const typeMeta: Message = { apiVersion: text(1), kind: text(2) };
const magic = Buffer.from('k8s\0');

/** Writes lists of pods as Kubernetes does: the sizes are told first, so everything is encoded before the first byte. */
export function podListEncoder(style: ProtobufStyle): PodListEncoder {
  const known = new WeakMap<object, Buffer>();
  const writer = openBackwardWriter();

  function writeMessage(value: JsonObject, fields: Message): void {
    const sorted = sortedFields(fields);
    const last = sorted.length - 1;
    if (style.unknownFields) writeUnknown(writer, 0);
    for (let index = 0; index <= last; index += 1) {
      // Backwards: what is written last comes first.
      const [name, { number, shape }] = sorted[style.order === 'ascending' ? last - index : index] as [string, Field];
      const inner = value[name];
      if (inner === undefined || inner === null) continue;
      if (Array.isArray(inner)) for (const one of inner.toReversed()) writeField(number, shape, one);
      else writeField(number, shape, inner);
      if (style.unknownFields) writeUnknown(writer, index);
    }
  }

  function writeField(number: number, shape: Shape, value: unknown): void {
    const end = writer.length;
    if (shape === 'integer' || shape === 'boolean') {
      writer.varint(Number(value));
      writer.varint(number * 8);
      return;
    }
    if (shape === 'map') {
      for (const [key, entry] of Object.entries(value as JsonObject).reverse())
        writeField(number, mapEntry, { key, entry });
      return;
    }
    if (shape === 'string') writer.text(String(value));
    else if (shape === 'time') writeMessage({ seconds: Date.parse(String(value)) / 1000 }, timestamp);
    else if (shape === 'raw') writeOnce(value as object, () => writeField(1, 'string', JSON.stringify(value)));
    else if (shape === container) writeOnce(value as object, () => writeMessage(value as JsonObject, shape));
    else writeMessage(value as JsonObject, shape);
    writer.varint(writer.length - end);
    writer.varint(number * 8 + 2);
  }

  /** Containers and managed fields make up most of a pod, and are the same for all pods of a workload. */
  function writeOnce(value: object, write: () => void): void {
    const encoded = known.get(value);
    if (encoded) {
      writer.bytes(encoded);
      return;
    }
    const end = writer.length;
    write();
    known.set(value, writer.copy(end));
  }

  function encode(write: () => void): Buffer {
    writer.clear();
    write();
    return writer.copy(0);
  }

  return {
    *encode({ resourceVersion, continue: rest, remaining, items }) {
      const head = { resourceVersion, continue: rest || undefined, remainingItemCount: remaining };
      const encodedHead = encode(() => writeField(1, listMeta, head));
      const pods = items.map((item) => encode(() => writeField(2, pod, item)));
      const bytes = pods.reduce((sum, { length }) => sum + length, encodedHead.length);
      yield magic;
      yield encode(() => {
        writer.varint(bytes);
        writer.varint(2 * 8 + 2);
        writeField(1, typeMeta, { apiVersion: 'v1', kind: 'PodList' });
      });
      yield encodedHead;
      for (let index = 0; index < pods.length; index += 16) yield Buffer.concat(pods.slice(index, index + 16));
    },
  };
}

const mapEntry: Message = { key: text(1), entry: text(2) };
const timestamp: Message = { seconds: integer(1) };
const sortedOnce = new WeakMap<Message, readonly [string, Field][]>();

function sortedFields(fields: Message): readonly [string, Field][] {
  const sorted = sortedOnce.get(fields) ?? Object.entries(fields).sort(([, a], [, b]) => a.number - b.number);
  sortedOnce.set(fields, sorted);
  return sorted;
}

/** One of each wire type, under numbers that no reader of today knows, in turn. */
function writeUnknown(writer: BackwardWriter, turn: number): void {
  const wireTypes = [0, 1, 2, 5] as const;
  const wireType = wireTypes[turn % 4] ?? 0;
  if (wireType === 0) writer.varint(2 ** 40);
  if (wireType === 1) writer.bytes(Buffer.alloc(8, 0xff));
  if (wireType === 2) writer.bytes(Buffer.from('\x0dnot known yet'));
  if (wireType === 5) writer.bytes(Buffer.alloc(4, 0x0a));
  writer.varint((201 + wireType) * 8 + wireType);
}

type BackwardWriter = ReturnType<typeof openBackwardWriter>;

/** From the end to the beginning, as Kubernetes' own encoder: a length is known when it is its turn. */
function openBackwardWriter() {
  let buffer = Buffer.alloc(64 * 1024);
  let start = buffer.length;
  const reserve = (bytes: number): void => {
    if (bytes > start) {
      const grown = Buffer.alloc((buffer.length + bytes) * 2);
      start += grown.length - buffer.length;
      buffer.copy(grown, grown.length - buffer.length);
      buffer = grown;
    }
    start -= bytes;
  };
  return {
    get length() {
      return buffer.length - start;
    },
    clear: () => {
      start = buffer.length;
    },
    /** What was written after the writer had this length. */
    copy: (length: number) => Buffer.from(buffer.subarray(start, buffer.length - length)),
    bytes: (bytes: Uint8Array) => {
      reserve(bytes.length);
      buffer.set(bytes, start);
    },
    text: (value: string) => {
      reserve(Buffer.byteLength(value));
      buffer.write(value, start);
    },
    /** Any whole number from 0 that JavaScript holds exactly. */
    varint: (value: number) => {
      const bytes = value < 128 ? 1 : Math.floor(Math.log2(value) / 7) + 1;
      reserve(bytes);
      for (let index = 0, left = value; index < bytes; index += 1, left = Math.floor(left / 128)) {
        buffer[start + index] = (left % 128) | (index < bytes - 1 ? 128 : 0);
      }
    },
  };
}
