import {
  type ContainerFacts,
  describeVariable,
  type PodFacts,
  type PodOwner,
  type TrustAnchorsVariable,
  trustAnchorsName,
} from '../pod-facts.ts';
import { asBytes, asNumber, asText, type FieldValue, fieldsOf } from './fields.ts';

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
export function decodePod(message: Buffer): PodFacts {
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
  for (const [field, value] of fieldsOf(message)) {
    if (field === 1) readMetadata(asBytes(value), pod);
    else if (field === 2) readSpec(asBytes(value), pod);
    else if (field === 3) readStatus(asBytes(value), pod);
  }
  return pod;
}

function readMetadata(message: Buffer, pod: PodDraft): void {
  for (const [field, value] of fieldsOf(message)) {
    if (field === 1) pod.name = asText(value);
    else if (field === 3) pod.namespace = asText(value);
    else if (field === 5) pod.uid = asText(value);
    else if (field === 8) pod.createdAt = decodeTime(value);
    else if (field === 9) pod.deletionTimestamp = decodeTime(value);
    else if (field === 11) readLabel(asBytes(value), pod.labels);
    else if (field === 13) pod.owners.push(decodeOwner(asBytes(value)));
  }
}

/** Of an instant only whole seconds: JSON has no more either. */
function decodeTime(value: FieldValue): Date {
  let seconds = 0;
  for (const [field, part] of fieldsOf(asBytes(value))) if (field === 1) seconds = asNumber(part);
  return new Date(seconds * 1000);
}

function readLabel(message: Buffer, labels: Record<string, string>): void {
  let [key, label] = ['', ''];
  for (const [field, value] of fieldsOf(message)) {
    if (field === 1) key = asText(value);
    else if (field === 2) label = asText(value);
  }
  labels[key] = label;
}

function decodeOwner(message: Buffer): PodOwner {
  const owner: Mutable<PodOwner> = { kind: '', name: '', uid: '', controller: false };
  for (const [field, value] of fieldsOf(message)) {
    if (field === 1) owner.kind = asText(value);
    else if (field === 3) owner.name = asText(value);
    else if (field === 4) owner.uid = asText(value);
    else if (field === 6) owner.controller = asNumber(value) !== 0;
  }
  return owner;
}

function readSpec(message: Buffer, pod: PodDraft): void {
  for (const [field, value] of fieldsOf(message)) {
    if (field === 2) pod.containers.push(decodeContainer(asBytes(value)));
    else if (field === 10) pod.node = asText(value) || undefined;
    else if (field === 20) pod.initContainers.push(decodeContainer(asBytes(value)));
  }
}

function readStatus(message: Buffer, pod: PodDraft): void {
  for (const [field, value] of fieldsOf(message)) if (field === 1) pod.phase = asText(value);
}

function decodeContainer(message: Buffer): ContainerFacts {
  const args: string[] = [];
  const container: Mutable<ContainerFacts> = { name: '', image: '', args, trustAnchors: undefined };
  for (const [field, value] of fieldsOf(message)) {
    if (field === 1) container.name = asText(value);
    else if (field === 2) container.image = asText(value);
    else if (field === 4) args.push(asText(value));
    else if (field === 7) container.trustAnchors = decodeTrustAnchors(asBytes(value)) ?? container.trustAnchors;
  }
  return container;
}

/** Undefined where the variable is another one. */
function decodeTrustAnchors(message: Buffer): TrustAnchorsVariable | undefined {
  let [name, content]: [string, FieldValue] = ['', undefined];
  let isReference = false;
  for (const [field, value] of fieldsOf(message)) {
    if (field === 1) name = asText(value);
    else if (field === 2) content = asBytes(value);
    else if (field === 3) isReference = true;
  }
  if (name !== trustAnchorsName) return undefined;
  return describeVariable(content && asText(content), isReference);
}
