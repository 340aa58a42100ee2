import { DaprMtlsError } from '../../../errors.ts';
import type { PodFacts } from '../pod-facts.ts';
import { ByteSource } from './byte-source.ts';
import { decodePod } from './decode-pod.ts';
import { MessageReader } from './message-reader.ts';
import { type PodTexts, recallPodTexts } from './pod-texts.ts';
import { type FieldHead, headLimit, readHead } from './wire.ts';

/** What Kubernetes puts in front of every object in protobuf. */
const magic = Buffer.from('k8s\0');

/** No object is larger: an API server takes requests up to 3 MiB, and etcd less. */
const partLimit = 16 * 1024 * 1024;

/** What a list says about itself. */
export interface ListMeta {
  readonly resourceVersion: string;
  /** By which the next page is asked for; empty on the last one. */
  readonly continue: string;
}

export interface PodListOptions {
  /** Of who asked for a page; who did not is refused a part of the list. */
  readonly tellMeta?: (meta: ListMeta) => void;
  /** Told of each chunk once all of it has been read. */
  readonly giveBack?: ((chunk: Buffer) => void) | undefined;
}

/**
 * The pods of a PodList in protobuf, as many at once as have come in one piece:
 * `k8s\0`, then Unknown{1 type, 2 raw, 3 encoding} with raw = PodList{1 ListMeta, 2 Pod*}.
 * A list that ends too early, promises more than it holds or goes on elsewhere is an error: what
 * was read until then is no tally.
 * @throws DaprMtlsError `cluster.rejected`, and what `chunks` throws
 */
export async function* decodePodList(
  chunks: AsyncIterable<Buffer>,
  { tellMeta = assertWhole, giveBack }: PodListOptions = {},
): AsyncGenerator<readonly PodFacts[]> {
  const source = new ByteSource(chunks, giveBack);
  try {
    await source.fill(magic.length);
    const size = source.join(magic.length);
    if (magic.compare(source.bytes, source.start, source.start + size) !== 0)
      throw unreadable('it does not begin as Kubernetes objects do');
    source.skip(size);
    let lists = 0;
    while (await source.fill(1)) {
      await source.fill(headLimit);
      const head = peekHead(source);
      if (head.field === 2) {
        lists += 1;
        assertMessage(head);
        source.skip(head.size);
        yield* decodeItems(source, source.position + head.length, tellMeta);
      } else readAboutList(head, takeContent(source, await fillPart(source, head)));
    }
    if (lists !== 1) throw unreadable(lists === 0 ? 'it ends before the list begins' : 'it holds several lists');
  } finally {
    await source.close();
  }
}

/** Waits for the first of them alone: a promise for each pod would cost as much as decoding it. */
async function* decodeItems(
  source: ByteSource,
  end: number,
  tellMeta: (meta: ListMeta) => void,
): AsyncGenerator<readonly PodFacts[]> {
  const texts = recallPodTexts();
  while (source.position < end) {
    await source.fill(headLengthAt(source, end));
    let head: FieldHead | undefined = await fillPart(source, peekHead(source, end));
    const pods: PodFacts[] = [];
    for (; head; head = peekPart(source, end)) {
      if (head.field <= 2) assertMessage(head);
      if (head.field === 2) {
        pods.push(takePod(source, head, texts));
        continue;
      }
      const content = takeContent(source, head);
      if (head.field === 1) tellMeta(readListMeta(content));
    }
    yield pods;
  }
}

/** The head of the next part, if that has come as a whole. */
function peekPart(source: ByteSource, end: number): FieldHead | undefined {
  if (source.position === end || !source.holds(headLengthAt(source, end))) return undefined;
  const head = peekHead(source, end);
  return source.holds(head.size + head.length) ? head : undefined;
}

/** @throws DaprMtlsError for what is no head, also because the stream has ended */
function peekHead(source: ByteSource, end = Number.POSITIVE_INFINITY): FieldHead {
  const size = source.join(headLengthAt(source, end));
  const head = decoding(() => readHead(source.bytes, source.start, source.start + size));
  if (source.position + head.size + head.length > end) throw unreadable('a part of it is longer than the whole');
  return head;
}

/** The longest that the head of the next part may be. */
function headLengthAt(source: ByteSource, end: number): number {
  return Math.min(headLimit, end - source.position);
}

async function fillPart(source: ByteSource, head: FieldHead): Promise<FieldHead> {
  if (head.length > partLimit) throw unreadable(`a part of it is ${head.length} bytes long`);
  if (!(await source.fill(head.size + head.length))) throw unreadable('it ends in the middle of the list');
  return head;
}

function takePod(source: ByteSource, { size, length }: FieldHead, texts: PodTexts): PodFacts {
  source.join(size + length);
  const start = source.start + size;
  const pod = decoding(() => decodePod(new MessageReader(source.bytes, start, start + length), texts));
  source.skip(size + length);
  return pod;
}

function takeContent(source: ByteSource, { size, length }: FieldHead): Buffer {
  source.join(size + length);
  const content = source.bytes.subarray(source.start + size, source.start + size + length);
  source.skip(size + length);
  return content;
}

function readAboutList(head: FieldHead, content: Buffer): void {
  if (head.field === 1) assertType(content);
  else if (head.field === 3 && content.length > 0) throw unreadable('it is encoded in a way that was not asked for');
}

function assertMessage({ isDelimited }: FieldHead): void {
  if (!isDelimited) throw unreadable('a field is of another type than its number says');
}

function assertType(typeMeta: Buffer): void {
  const kind = findText(typeMeta, 2);
  if (kind !== undefined && kind !== 'PodList') throw unreadable('it is no list of pods');
}

function readListMeta(content: Buffer): ListMeta {
  return { resourceVersion: findText(content, 2) ?? '', continue: findText(content, 3) ?? '' };
}

/** Nobody asked for a part: a server that gives one has more pods than it tells. */
function assertWhole(meta: ListMeta): void {
  if (meta.continue) throw unreadable('it is only a part of the list');
}

function findText(message: Buffer, number: number): string | undefined {
  return decoding(() => {
    const reader = new MessageReader(message, 0, message.length);
    let found: string | undefined;
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === number) found = reader.text();
    }
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

function unreadable(why: string, cause?: unknown): DaprMtlsError {
  return new DaprMtlsError('cluster.rejected', {
    message: `the API server's list of pods cannot be read: ${why}`,
    hint: 'Run it again. If it stays so, a proxy between here and the API server changes its answers.',
    cause,
  });
}
