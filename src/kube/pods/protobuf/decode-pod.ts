import { findFlag } from '../../dapr/container.ts';
import {
  appIdFlag,
  type ContainerFacts,
  describeVariable,
  type PodFacts,
  type PodOwner,
  type TrustAnchorsVariable,
  trustAnchorsName,
} from '../pod-facts.ts';
import { MessageReader, type Place, type ReadText } from './message-reader.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

interface PodDraft extends Mutable<Omit<PodFacts, 'labels' | 'owners' | 'containers' | 'initContainers'>> {
  readonly labels: Record<string, string>;
  readonly owners: PodOwner[];
  readonly containers: ContainerFacts[];
  readonly initContainers: ContainerFacts[];
}

/**
 * The facts of a pod in protobuf. Field numbers: generated.proto of k8s.io/api/core/v1 and
 * k8s.io/apimachinery/pkg/apis/meta/v1, which never change. A message that stands there twice is
 * merged, as protobuf has it.
 * @param readAnchors of which most pods hold the same
 * @throws Error for what is no pod
 */
export function decodePod(message: Buffer, readAnchors: ReadText): PodFacts {
  const reader = new MessageReader(message);
  const pod: PodDraft = {
    name: '',
    namespace: '',
    uid: '',
    createdAt: undefined,
    deletionTimestamp: undefined,
    labels: {},
    owners: [],
    node: undefined,
    phase: '',
    containers: [],
    initContainers: [],
  };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) readMetadata(reader, pod);
    else if (field === 2) readSpec(reader, pod, readAnchors);
    else if (field === 3) readStatus(reader, pod);
  }
  return pod;
}

function readMetadata(reader: MessageReader, pod: PodDraft): void {
  const outer = reader.enter();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) pod.name = reader.text();
    else if (field === 3) pod.namespace = reader.text();
    else if (field === 5) pod.uid = reader.text();
    else if (field === 8) pod.createdAt = decodeTime(reader);
    else if (field === 9) pod.deletionTimestamp = decodeTime(reader);
    else if (field === 11) readLabel(reader, pod.labels);
    else if (field === 13) pod.owners.push(decodeOwner(reader));
  }
  reader.leave(outer);
}

/** Of an instant only whole seconds: JSON has no more either. */
function decodeTime(reader: MessageReader): Date {
  let seconds = 0;
  const outer = reader.enter();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) seconds = reader.number();
  }
  reader.leave(outer);
  return new Date(seconds * 1000);
}

function readLabel(reader: MessageReader, labels: Record<string, string>): void {
  let [key, label] = ['', ''];
  const outer = reader.enter();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) key = reader.text();
    else if (field === 2) label = reader.text();
  }
  reader.leave(outer);
  labels[key] = label;
}

function decodeOwner(reader: MessageReader): PodOwner {
  const owner: Mutable<PodOwner> = { kind: '', name: '', uid: '', controller: false };
  const outer = reader.enter();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) owner.kind = reader.text();
    else if (field === 3) owner.name = reader.text();
    else if (field === 4) owner.uid = reader.text();
    else if (field === 6) owner.controller = reader.number() !== 0;
  }
  reader.leave(outer);
  return owner;
}

function readSpec(reader: MessageReader, pod: PodDraft, readAnchors: ReadText): void {
  const outer = reader.enter();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 2) pod.containers.push(decodeContainer(reader, readAnchors));
    else if (field === 10) pod.node = reader.text() || undefined;
    else if (field === 20) pod.initContainers.push(decodeContainer(reader, readAnchors));
  }
  reader.leave(outer);
}

function readStatus(reader: MessageReader, pod: PodDraft): void {
  const outer = reader.enter();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) pod.phase = reader.text();
  }
  reader.leave(outer);
}

/** How the words begin by which the app id is told. */
const [oneDash, twoDashes] = [Buffer.from(`-${appIdFlag}`), Buffer.from(`--${appIdFlag}`)];

function decodeContainer(reader: MessageReader, readAnchors: ReadText): ContainerFacts {
  const container: Mutable<ContainerFacts> = { name: '', image: '', appId: undefined, trustAnchors: undefined };
  // Of forty words the two that count: the flag, and what stands behind it.
  const args: string[] = [];
  let isBehindFlag = false;
  const outer = reader.enter();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) container.name = reader.text();
    else if (field === 2) container.image = reader.text();
    else if (field === 4) {
      const isFlag = reader.beginsWith(twoDashes) || reader.beginsWith(oneDash);
      if (isFlag || isBehindFlag) args.push(reader.text());
      isBehindFlag = isFlag;
    } else if (field === 7) container.trustAnchors = decodeTrustAnchors(reader, readAnchors) ?? container.trustAnchors;
  }
  reader.leave(outer);
  if (args.length > 0) container.appId = findFlag({ name: '', args }, appIdFlag);
  return container;
}

const trustAnchorsBytes = Buffer.from(trustAnchorsName);

/** Undefined where the variable is another one: then its value need not become a string. */
function decodeTrustAnchors(reader: MessageReader, readAnchors: ReadText): TrustAnchorsVariable | undefined {
  let isFound = false;
  let value: Place | undefined;
  let isReference = false;
  const outer = reader.enter();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) isFound = reader.isText(trustAnchorsBytes);
    else if (field === 2) value = reader.place();
    else if (field === 3) isReference = true;
  }
  reader.leave(outer);
  return isFound ? describeVariable(value && reader.textAt(value, readAnchors), isReference) : undefined;
}
