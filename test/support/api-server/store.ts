import { randomUUID } from 'node:crypto';
import type { KubeObject, ObjectRef, Resource } from '../../../src/kube/port.ts';
import { findKind, type Kind, kindOf } from './kinds.ts';
import { isSame, type JsonObject, type StoredMeta, type StoredObject, timestamp } from './object.ts';

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

export interface Change {
  readonly revision: number;
  readonly type: ChangeType;
  readonly kind: Kind;
  /** As it is now; of something deleted, as it was last. */
  readonly object: StoredObject;
  readonly previous: StoredObject | undefined;
}

/** What tests do to the objects behind the server's back. */
export interface TestStore {
  /**
   * Makes or replaces objects as they are given, status included; the uid of an object that is there
   * is kept. Namespaces that are not there yet are made.
   */
  put(...objects: readonly KubeObject[]): void;
  get<T extends KubeObject>(ref: ObjectRef): T | undefined;
  /** Replaces one object by what the function makes of it. @throws Error where there is none */
  change<T extends KubeObject>(ref: ObjectRef, edit: (object: T) => object): void;
  remove(ref: ObjectRef): void;
  /** All objects, or those of one resource, in the order in which they are listed. */
  objects<T extends KubeObject>(resource?: Resource): readonly T[];
  /** Told of every change, whoever made it; the function returned ends that. */
  subscribe(listener: (change: Change) => void): () => void;
}

/** etcd, as far as it can be seen: every write has a revision of its own. */
export class ObjectStore implements TestStore {
  /** Strings of digits to us, opaque to clients. The first one is not 0 or 1: both are special. */
  revision = 1000;
  readonly changes: Change[] = [];
  readonly #tables = new Map<string, Map<string, StoredObject>>();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  find(kind: Resource, namespace: string, name: string): StoredObject | undefined {
    return this.#table(kind).get(keyOf(namespace, name));
  }

  /** In the order of etcd's keys. */
  list(kind: Resource, namespace = ''): StoredObject[] {
    const found = [...this.#table(kind)].filter(([key]) => namespace === '' || key.startsWith(`${namespace}/`));
    return found.sort(([left], [right]) => (left < right ? -1 : 1)).map(([, object]) => object);
  }

  insert(kind: Kind, object: JsonObject): StoredObject {
    const stored = this.#stamp(kind, object, undefined);
    this.#record('ADDED', kind, stored, undefined);
    return stored;
  }

  /** A replacement that changes nothing is no write, and gets no revision. */
  replace(kind: Kind, previous: StoredObject, object: JsonObject): StoredObject {
    if (isUnchanged(previous, object)) return previous;
    const stored = this.#stamp(kind, object, previous);
    this.#record('MODIFIED', kind, stored, previous);
    return stored;
  }

  erase(kind: Kind, object: StoredObject): void {
    this.revision += 1;
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.revision) } };
    this.#record('DELETED', kind, last, object);
  }

  put(...objects: readonly KubeObject[]): void {
    for (const object of objects) {
      const kind = kindOf(object);
      const { namespace = '', name } = object.metadata;
      if (kind.namespaced && namespace === '') throw new Error(`${kind.kind} ${name} needs a namespace`);
      if (kind.namespaced && !this.#isThere(namespace)) this.put(namespaceOf(namespace));
      const previous = this.find(kind, namespace, name);
      const whole = { ...(kind.kind === 'Secret' ? { type: 'Opaque' } : {}), ...object } as JsonObject;
      if (previous) this.replace(kind, previous, whole);
      else this.insert(kind, whole);
    }
  }

  get<T extends KubeObject>({ resource, namespace = '', name }: ObjectRef): T | undefined {
    return this.find(resource, namespace, name) as T | undefined;
  }

  change<T extends KubeObject>(ref: ObjectRef, edit: (object: T) => object): void {
    const { kind, object } = this.#expect(ref);
    this.replace(kind, object, edit(object as unknown as T) as JsonObject);
  }

  remove(ref: ObjectRef): void {
    const { kind, object } = this.#expect(ref);
    this.erase(kind, object);
  }

  objects<T extends KubeObject>(resource?: Resource): readonly T[] {
    const found = resource ? this.list(resource) : [...this.#tables.values()].flatMap((table) => [...table.values()]);
    return found as unknown as T[];
  }

  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #table({ group, plural }: Resource): Map<string, StoredObject> {
    const key = `${group}/${plural}`;
    const table = this.#tables.get(key) ?? new Map<string, StoredObject>();
    this.#tables.set(key, table);
    return table;
  }

  #isThere(namespace: string): boolean {
    return this.#table({ group: '', plural: 'namespaces' } as Resource).has(keyOf('', namespace));
  }

  #expect({ resource, namespace = '', name }: ObjectRef): { kind: Kind; object: StoredObject } {
    const kind = findKind(resource.group, resource.version, resource.plural);
    const object = this.find(resource, namespace, name);
    if (!kind || !object) throw new Error(`there is no ${resource.kind} ${name} in ${namespace}`);
    return { kind, object };
  }

  /** The metadata that is the server's own. */
  #stamp(kind: Kind, object: JsonObject, previous: StoredObject | undefined): StoredObject {
    this.revision += 1;
    const given = object.metadata as Partial<StoredMeta> & { readonly name: string };
    const changes = previous === undefined || isSpecChanged(previous, object) ? 1 : 0;
    return {
      ...object,
      apiVersion: object.apiVersion as string,
      kind: kind.kind,
      metadata: {
        ...given,
        uid: previous?.metadata.uid ?? given.uid ?? randomUUID(),
        resourceVersion: String(this.revision),
        creationTimestamp: previous?.metadata.creationTimestamp ?? given.creationTimestamp ?? timestamp(this.#now()),
        ...(kind.hasGeneration
          ? { generation: (previous ? (previous.metadata.generation ?? 0) : (given.generation ?? 1) - 1) + changes }
          : {}),
      },
    };
  }

  #record(type: ChangeType, kind: Kind, object: StoredObject, previous: StoredObject | undefined): void {
    const { namespace = '', name } = object.metadata;
    if (type === 'DELETED') this.#table(kind).delete(keyOf(namespace, name));
    else this.#table(kind).set(keyOf(namespace, name), object);
    const change = { revision: this.revision, type, kind, object, previous };
    this.changes.push(change);
    for (const listener of [...this.#listeners]) listener(change);
  }
}

function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

export function namespaceOf(name: string): KubeObject & JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  };
}

/** The fields that the server sets by itself do not make a change. */
const ownFields = ['resourceVersion', 'uid', 'creationTimestamp', 'generation', 'managedFields'];

function isUnchanged(previous: StoredObject, object: JsonObject): boolean {
  return isSame(withoutOwnFields(previous), withoutOwnFields(object));
}

function withoutOwnFields(object: JsonObject): JsonObject {
  const metadata = Object.entries(object.metadata as JsonObject).filter(([name]) => !ownFields.includes(name));
  return { ...object, metadata: Object.fromEntries(metadata) };
}

function isSpecChanged(previous: StoredObject, object: JsonObject): boolean {
  const bare = ({ metadata: _metadata, status: _status, ...rest }: JsonObject) => rest;
  return !isSame(bare(previous), bare(object));
}
