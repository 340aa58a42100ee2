import { findFlag } from '../../dapr/container.ts';
import {
  appIdFlag,
  type ContainerFacts,
  daprdName,
  describeVariable,
  type LabelName,
  labelNames,
  mayBeDaprd,
  type PodFacts,
  type PodLabels,
  type PodOwner,
  type TrustAnchorsVariable,
  trustAnchorsName,
} from '../pod-facts.ts';
import type { MessageReader, Place } from './message-reader.ts';
import type { PodTexts } from './pod-texts.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

interface PodDraft extends Mutable<Omit<PodFacts, 'labels' | 'owners' | 'containers' | 'initContainers'>> {
  readonly labels: Mutable<PodLabels>;
  readonly owners: PodOwner[];
  readonly containers: ContainerFacts[];
  readonly initContainers: ContainerFacts[];
}

/**
 * The facts of a pod in protobuf. Field numbers: generated.proto of k8s.io/api/core/v1 and
 * k8s.io/apimachinery/pkg/apis/meta/v1, which never change. A message that stands there twice is
 * merged, as protobuf has it. No text is made of what nobody asks for, which is nearly all of a pod.
 * @param reader of the pod's message
 * @throws Error for what is no pod
 */
export function decodePod(reader: MessageReader, texts: PodTexts): PodFacts {
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
    if (field === 1) readMetadata(reader, pod, texts);
    else if (field === 2) readSpec(reader, pod, texts);
    else if (field === 3) readStatus(reader, pod, texts);
  }
  return pod;
}

function readMetadata(reader: MessageReader, pod: PodDraft, texts: PodTexts): void {
  const outer = reader.enter();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) pod.name = reader.text();
    else if (field === 3) pod.namespace = reader.text(texts.namespace);
    else if (field === 5) pod.uid = reader.text();
    else if (field === 8) pod.createdAt = decodeTime(reader);
    else if (field === 9) pod.deletionTimestamp = decodeTime(reader);
    else if (field === 11) readLabel(reader, pod.labels, texts);
    else if (field === 13) pod.owners.push(decodeOwner(reader, texts));
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

const labels = labelNames.map((name) => ({ name, bytes: Buffer.from(name) }));

function readLabel(reader: MessageReader, read: Mutable<PodLabels>, texts: PodTexts): void {
  let name: LabelName | undefined;
  let label: Place | undefined;
  const outer = reader.enter();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) name = labels.find(({ bytes }) => reader.isText(bytes))?.name;
    else if (field === 2) label = reader.place();
  }
  reader.leave(outer);
  if (name) read[name] = label ? reader.textAt(label, texts.labels[name]) : '';
}

function decodeOwner(reader: MessageReader, texts: PodTexts): PodOwner {
  const owner: Mutable<PodOwner> = { kind: '', name: '', uid: '', controller: false };
  const outer = reader.enter();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) owner.kind = reader.text(texts.ownerKind);
    else if (field === 3) owner.name = reader.text(texts.ownerName);
    else if (field === 4) owner.uid = reader.text(texts.ownerUid);
    else if (field === 6) owner.controller = reader.number() !== 0;
  }
  reader.leave(outer);
  return owner;
}

function readSpec(reader: MessageReader, pod: PodDraft, texts: PodTexts): void {
  const outer = reader.enter();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 2) readContainer(reader, pod.containers, texts);
    else if (field === 10) pod.node = reader.text(texts.node) || undefined;
    else if (field === 20) readContainer(reader, pod.initContainers, texts);
  }
  reader.leave(outer);
}

function readStatus(reader: MessageReader, pod: PodDraft, texts: PodTexts): void {
  const outer = reader.enter();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) pod.phase = reader.text(texts.phase);
  }
  reader.leave(outer);
}

const daprdBytes = Buffer.from(daprdName);
const trustAnchorsBytes = Buffer.from(trustAnchorsName);

/** How the words begin by which the app id is told. */
const [oneDash, twoDashes] = [Buffer.from(`-${appIdFlag}`), Buffer.from(`--${appIdFlag}`)];

function readContainer(reader: MessageReader, containers: ContainerFacts[], texts: PodTexts): void {
  let name: Place | undefined;
  let isNamedDaprd = false;
  let image: Place | undefined;
  let trustAnchors: TrustAnchorsVariable | undefined;
  // Of forty words the two that count: the flag, and what stands behind it.
  const args: string[] = [];
  let isBehindFlag = false;
  const outer = reader.enter();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) {
      name = reader.place();
      isNamedDaprd = reader.isText(daprdBytes);
    } else if (field === 2) image = reader.place();
    else if (field === 4) {
      const isFlag = reader.beginsWith(twoDashes) || reader.beginsWith(oneDash);
      if (isFlag || isBehindFlag) args.push(reader.text(isFlag ? texts.appIdFlag : texts.appId));
      isBehindFlag = isFlag;
    } else if (field === 7) trustAnchors = decodeTrustAnchors(reader, texts) ?? trustAnchors;
  }
  reader.leave(outer);
  const named = { name: isNamedDaprd ? daprdName : '', trustAnchors };
  if (!isNamedDaprd && name) named.name = reader.textAt(name, texts.container);
  if (!mayBeDaprd(named)) return;
  const appId = args.length > 0 ? findFlag({ name: '', args }, appIdFlag) : undefined;
  containers.push({ ...named, image: image ? reader.textAt(image, texts.image) : '', appId });
}

/** Undefined where the variable is another one: then its value need not become a string. */
function decodeTrustAnchors(reader: MessageReader, texts: PodTexts): TrustAnchorsVariable | undefined {
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
  return isFound ? describeVariable(value && reader.textAt(value, texts.trustAnchors), isReference) : undefined;
}
