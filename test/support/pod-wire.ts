import type { PodObject } from '../../src/kube/pods/pod-facts.ts';

/**
 * Pods as an API server writes them in protobuf, by an encoder of the tests' own. The order of the
 * fields and what is strewn among them are the caller's: a reader may rely on neither.
 */
export interface Penmanship {
  /** The fields of one message in the order in which they are written, with others among them. */
  readonly arrange: (fields: readonly WireField[]) => readonly WireField[];
}

export interface WireField {
  readonly number: number;
  readonly bytes: Buffer;
}

/** As Kubernetes itself does: by number, nothing else. */
export const plainPenmanship: Penmanship = { arrange: (fields) => fields };

/** Any order that keeps what repeats in its order, and unknown fields of every type in between. */
export function wildPenmanship(seed: number): Penmanship {
  const random = mulberry32(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const unknown = (): WireField => {
    const number = 100 + below(2000);
    const kinds = [
      () => varintField(number, 2 ** below(50)),
      () => ({ number, bytes: Buffer.concat([varint(number * 8 + 1), Buffer.alloc(8, below(256))]) }),
      () => bytesField(number, Buffer.alloc(below(40), below(256))),
      () => ({ number, bytes: Buffer.concat([varint(number * 8 + 5), Buffer.alloc(4, below(256))]) }),
    ];
    return (kinds[below(kinds.length)] as () => WireField)();
  };
  return {
    arrange: (fields) => {
      const waiting = new Map<number, WireField[]>();
      for (const field of fields) waiting.set(field.number, [...(waiting.get(field.number) ?? []), field]);
      const numbers = fields.map(({ number }) => number);
      for (let last = numbers.length - 1; last > 0; last--) {
        const other = below(last + 1);
        [numbers[last], numbers[other]] = [numbers[other] as number, numbers[last] as number];
      }
      const arranged = numbers.map((number) => waiting.get(number)?.shift() as WireField);
      return arranged.flatMap((field) => (below(4) === 0 ? [unknown(), field] : [field]));
    },
  };
}

/** A whole answer: the magic, Unknown, and in it the PodList. */
export function encodePodList(pods: readonly PodObject[], pen: Penmanship = plainPenmanship): Buffer {
  return encodeUnknown(encodeItems(pods, pen), 'PodList', pen);
}

export function encodeItems(pods: readonly PodObject[], pen: Penmanship = plainPenmanship, next = ''): Buffer {
  const listMeta = write([bytesField(1, ''), bytesField(2, '4711'), bytesField(3, next)], pen);
  return write([bytesField(1, listMeta), ...pods.map((pod) => bytesField(2, encodePod(pod, pen)))], pen);
}

export function encodeUnknown(raw: Buffer, kind: string, pen: Penmanship = plainPenmanship): Buffer {
  const typeMeta = write([bytesField(1, 'v1'), bytesField(2, kind)], pen);
  const fields = [bytesField(1, typeMeta), bytesField(2, raw), bytesField(3, ''), bytesField(4, '')];
  return Buffer.concat([Buffer.from('k8s\0'), write(fields, pen)]);
}

export function encodePod({ metadata, spec, status }: PodObject, pen: Penmanship): Buffer {
  const owners = metadata.ownerReferences ?? [];
  const meta = [
    bytesField(1, metadata.name),
    bytesField(2, ''),
    bytesField(3, metadata.namespace ?? ''),
    bytesField(5, metadata.uid ?? ''),
    ...timeField(8, metadata.creationTimestamp, pen),
    ...timeField(9, metadata.deletionTimestamp, pen),
    ...Object.entries(metadata.labels ?? {}).map(([key, value]) =>
      bytesField(11, write([bytesField(1, key), bytesField(2, value)], pen)),
    ),
    ...owners.map(({ apiVersion, kind, name, uid, controller }) => {
      const flags = controller === undefined ? [] : [varintField(6, controller ? 1 : 0)];
      const texts = [bytesField(1, kind), bytesField(3, name), bytesField(4, uid), bytesField(5, apiVersion)];
      return bytesField(13, write([...texts, ...flags], pen));
    }),
  ];
  const container = (object: NonNullable<NonNullable<PodObject['spec']>['containers']>[number]) =>
    write(
      [
        bytesField(1, object.name),
        bytesField(2, object.image ?? ''),
        ...(object.args ?? []).map((arg) => bytesField(4, arg)),
        ...(object.env ?? []).map(({ name, value, valueFrom }) =>
          bytesField(
            7,
            write(
              [bytesField(1, name), bytesField(2, value ?? ''), ...(valueFrom ? [bytesField(3, 'fieldRef')] : [])],
              pen,
            ),
          ),
        ),
      ],
      pen,
    );
  const podSpec = [
    ...(spec?.containers ?? []).map((object) => bytesField(2, container(object))),
    bytesField(10, spec?.nodeName ?? ''),
    ...(spec?.initContainers ?? []).map((object) => bytesField(20, container(object))),
  ];
  const podStatus = [bytesField(1, status?.phase ?? '')];
  return write(
    [bytesField(1, write(meta, pen)), bytesField(2, write(podSpec, pen)), bytesField(3, write(podStatus, pen))],
    pen,
  );
}

export function write(fields: readonly WireField[], pen: Penmanship): Buffer {
  return Buffer.concat(pen.arrange(fields).map(({ bytes }) => bytes));
}

export function bytesField(number: number, content: string | Buffer): WireField {
  const bytes = Buffer.from(content);
  return { number, bytes: Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]) };
}

export function varintField(number: number, value: number): WireField {
  return { number, bytes: Buffer.concat([varint(number * 8), varint(value)]) };
}

function timeField(number: number, instant: string | undefined, pen: Penmanship): WireField[] {
  if (instant === undefined) return [];
  const seconds = Math.floor(new Date(instant).getTime() / 1000);
  return [bytesField(number, write([varintField(1, seconds), varintField(2, 0)], pen))];
}

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

/** A small seeded generator, so that a failing order can be made again. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
