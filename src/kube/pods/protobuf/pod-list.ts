import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { DaprMtlsError } from '../../../errors.ts';
import type { PodFacts } from '../pod-facts.ts';
import { ByteSource } from './byte-source.ts';
import { decodePod } from './decode-pod.ts';
import { MessageReader } from './message-reader.ts';

/** What Kubernetes puts in front of every object in protobuf. */
const magic = Buffer.from('k8s\0');

/** No object is larger: an API server takes requests up to 3 MiB, and etcd less. */
const podLimit = 16 * 1024 * 1024;
const metaLimit = 1024 * 1024;

/**
 * The pods of a PodList in protobuf, one in memory at a time:
 * `k8s\0`, then Unknown{1 type, 2 raw, 3 encoding} with raw = PodList{1 ListMeta, 2 Pod*}.
 * A list that ends too early, promises more than it holds or goes on elsewhere is an error: what
 * was read until then is no tally.
 * @throws DaprMtlsError `cluster.rejected`, and what `chunks` throws
 */
export async function* decodePodList(chunks: AsyncIterable<Buffer>): AsyncGenerator<PodFacts> {
  const source = new ByteSource(chunks);
  try {
    const start = await source.take(magic.length);
    if (!start?.equals(magic)) throw unreadable('it does not begin as Kubernetes objects do');
    let lists = 0;
    for (let field = await nextField(source); field; field = await nextField(source)) {
      if (field.number !== 2) {
        await readAboutList(source, field);
        continue;
      }
      lists += 1;
      const end = source.position + lengthOf(field);
      for (let item = await nextField(source, end); item; item = await nextField(source, end)) {
        if (item.number === 2) {
          const message = await takeField(source, item, podLimit);
          yield decoding(() => decodePod(message));
        } else if (item.number === 1) assertWhole(await takeField(source, item, metaLimit));
        else await skipField(source, item);
      }
    }
    if (lists !== 1) throw unreadable(lists === 0 ? 'it ends before the list begins' : 'it holds several lists');
  } finally {
    await source.close();
  }
}

async function readAboutList(source: ByteSource, field: Field): Promise<void> {
  if (field.number === 1) assertType(await takeField(source, field, metaLimit));
  else if (field.number === 3 && field.length > 0) throw unreadable('it is encoded in a way that was not asked for');
  else await skipField(source, field);
}

interface Field {
  readonly number: number;
  /** Bytes of content that follow and have to be taken or skipped; 0 for a varint, which is read already. */
  readonly length: number;
  readonly isDelimited: boolean;
}

/** The longest tag and the longest length, or varint, behind it. */
const headLimit = 15;

/** Undefined at the end of the message, or of the stream where the message has no end of its own. */
async function nextField(source: ByteSource, end = Number.POSITIVE_INFINITY): Promise<Field | undefined> {
  if (source.position === end) return undefined;
  const head = await source.peek(Math.min(headLimit, end - source.position));
  if (head.length === 0 && end === Number.POSITIVE_INFINITY) return undefined;
  const { field, size } = decoding(() => decodeHead(head));
  await source.skip(size);
  if (source.position + field.length > end) throw unreadable('a part of it is longer than the whole');
  return field;
}

function decodeHead(head: Buffer): { field: Field; size: number } {
  const reader = new BinaryReader(head);
  const [number, wireType] = reader.tag();
  const length = contentLengthOf(reader, wireType);
  return { field: { number, length, isDelimited: wireType === WireType.LengthDelimited }, size: reader.pos };
}

function contentLengthOf(reader: BinaryReader, wireType: WireType): number {
  if (wireType === WireType.LengthDelimited) return Number(reader.uint64());
  if (wireType === WireType.Bit64) return 8;
  if (wireType === WireType.Bit32) return 4;
  // Throws for groups, which Kubernetes has none of.
  if (wireType === WireType.Varint) reader.skip(wireType);
  else throw new Error('a group');
  return 0;
}

function lengthOf({ isDelimited, length }: Field): number {
  if (isDelimited) return length;
  throw unreadable('a field is of another type than its number says');
}

async function takeField(source: ByteSource, field: Field, limit: number): Promise<Buffer> {
  const length = lengthOf(field);
  if (length > limit) throw unreadable(`a part of it is ${length} bytes long`);
  const bytes = await source.take(length);
  if (!bytes) throw endsEarly();
  return bytes;
}

async function skipField(source: ByteSource, { length }: Field): Promise<void> {
  if (!(await source.skip(length))) throw endsEarly();
}

function assertType(typeMeta: Uint8Array): void {
  const kind = findText(typeMeta, 2);
  if (kind !== undefined && kind !== 'PodList') throw unreadable('it is no list of pods');
}

/** Nobody asked for a part: a server that gives one has more pods than it tells. */
function assertWhole(listMeta: Uint8Array): void {
  if (findText(listMeta, 3)) throw unreadable('it is only a part of the list');
}

function findText(message: Uint8Array, number: number): string | undefined {
  return decoding(() => {
    const reader = new MessageReader(message);
    let found: string | undefined;
    reader.fields((field) => {
      if (field === number) found = reader.text();
    });
    return found;
  });
}

function decoding<T>(decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw unreadable('it is damaged or cut short', cause);
  }
}

function endsEarly(): DaprMtlsError {
  return unreadable('it ends in the middle of the list');
}

function unreadable(why: string, cause?: unknown): DaprMtlsError {
  return new DaprMtlsError('cluster.rejected', {
    message: `the API server's list of pods cannot be read: ${why}`,
    hint: 'Run it again. If it stays so, a proxy between here and the API server changes its answers.',
    cause,
  });
}
