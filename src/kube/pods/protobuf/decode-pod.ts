import {
  type ContainerFacts,
  describeVariable,
  type PodFacts,
  type PodOwner,
  type TrustAnchorsVariable,
  trustAnchorsName,
} from '../pod-facts.ts';
import { MessageReader } from './message-reader.ts';

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
 * @throws Error for what is no pod
 */
export function decodePod(message: Uint8Array): PodFacts {
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
  reader.fields((field) => {
    if (field === 1) readMetadata(reader, pod);
    else if (field === 2) readSpec(reader, pod);
    else if (field === 3) readStatus(reader, pod);
  });
  return pod;
}

function readMetadata(reader: MessageReader, pod: PodDraft): void {
  reader.message((field) => {
    if (field === 1) pod.name = reader.text();
    else if (field === 3) pod.namespace = reader.text();
    else if (field === 5) pod.uid = reader.text();
    else if (field === 8) pod.createdAt = decodeTime(reader);
    else if (field === 9) pod.deletionTimestamp = decodeTime(reader);
    else if (field === 11) readLabel(reader, pod.labels);
    else if (field === 13) pod.owners.push(decodeOwner(reader));
  });
}

/** Of an instant only whole seconds: JSON has no more either. */
function decodeTime(reader: MessageReader): Date {
  let seconds = 0;
  reader.message((field) => {
    if (field === 1) seconds = reader.number();
  });
  return new Date(seconds * 1000);
}

function readLabel(reader: MessageReader, labels: Record<string, string>): void {
  let [key, label] = ['', ''];
  reader.message((field) => {
    if (field === 1) key = reader.text();
    else if (field === 2) label = reader.text();
  });
  labels[key] = label;
}

function decodeOwner(reader: MessageReader): PodOwner {
  const owner: Mutable<PodOwner> = { kind: '', name: '', uid: '', controller: false };
  reader.message((field) => {
    if (field === 1) owner.kind = reader.text();
    else if (field === 3) owner.name = reader.text();
    else if (field === 4) owner.uid = reader.text();
    else if (field === 6) owner.controller = reader.number() !== 0;
  });
  return owner;
}

function readSpec(reader: MessageReader, pod: PodDraft): void {
  reader.message((field) => {
    if (field === 2) pod.containers.push(decodeContainer(reader));
    else if (field === 10) pod.node = reader.text() || undefined;
    else if (field === 20) pod.initContainers.push(decodeContainer(reader));
  });
}

function readStatus(reader: MessageReader, pod: PodDraft): void {
  reader.message((field) => {
    if (field === 1) pod.phase = reader.text();
  });
}

function decodeContainer(reader: MessageReader): ContainerFacts {
  const args: string[] = [];
  const container: Mutable<ContainerFacts> = { name: '', image: '', args, trustAnchors: undefined };
  reader.message((field) => {
    if (field === 1) container.name = reader.text();
    else if (field === 2) container.image = reader.text();
    else if (field === 4) args.push(reader.text());
    else if (field === 7) container.trustAnchors = decodeTrustAnchors(reader) ?? container.trustAnchors;
  });
  return container;
}

/** Undefined where the variable is another one: then its value need not become a string. */
function decodeTrustAnchors(reader: MessageReader): TrustAnchorsVariable | undefined {
  let name = '';
  let value: Uint8Array | undefined;
  let isReference = false;
  reader.message((field) => {
    if (field === 1) name = reader.text();
    else if (field === 2) value = reader.bytes();
    else if (field === 3) isReference = true;
  });
  if (name !== trustAnchorsName) return undefined;
  return describeVariable(value && Buffer.from(value).toString('utf8'), isReference);
}
