import { resources } from '../../../src/kube/resources.ts';
import { defaultFields } from './defaults.ts';
import type { Kind } from './kinds.ts';
import { isObject, type JsonObject, type StoredObject, timestamp } from './object.ts';
import { assertReadable, assertReadableInPatch, parseJson, readDryRun, readObject, readPatchType } from './payload.ts';
import type { ApiRequest, Target } from './request.ts';
import { alreadyExists, badRequest, conflict, invalid, modified, notFound, refuse, type Status } from './status.ts';
import type { ObjectStore } from './store.ts';
import { validate } from './validate.ts';

export type Written =
  | { readonly code: 200 | 201; readonly object: StoredObject }
  | { readonly code: 200; readonly status: Status };

/** What an admission webhook makes of an object that is to be created. */
export type Admit = (object: JsonObject, target: Target) => JsonObject;

/** The changing half of k8s.io/apiserver's generic registry. */
export class Writer {
  readonly #store: ObjectStore;
  readonly #now: () => Date;
  readonly #admit: Admit;

  constructor(store: ObjectStore, now: () => Date, admit: Admit) {
    this.#store = store;
    this.#now = now;
    this.#admit = admit;
  }

  /** @throws Refusal */
  carryOut(request: ApiRequest, target: Target): Written {
    const isDryRun = readDryRun(request);
    switch (target.verb) {
      case 'create':
        return this.#create(target, request.body, isDryRun);
      case 'update':
        return this.#update(target, request.body, isDryRun);
      case 'patch':
        return this.#patch(target, request, isDryRun);
      case 'delete':
        return this.#delete(target, request.body, isDryRun);
      default:
        throw refuse(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource');
    }
  }

  #create(target: Target, body: string, isDryRun: boolean): Written {
    const { kind, namespace } = target;
    const given = readObject(kind, body);
    if (given.metadata.namespace !== undefined && given.metadata.namespace !== namespace) {
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
    }
    if (kind.namespaced && !this.#store.find(resources.namespaces, '', namespace)) {
      throw notFound(resources.namespaces, namespace);
    }
    if (given.metadata.resourceVersion) {
      throw refuse(500, '', 'resourceVersion should not be set on objects to be created');
    }
    assertReadable(kind, given);
    const object = this.#admit(withoutIdentity(defaultFields(kind, given, namespace)), target);
    const { name = '' } = object.metadata as { name?: string };
    const errors = validate(kind, object, undefined);
    if (errors.length > 0) throw invalid(kind, name, errors);
    if (this.#store.find(kind, namespace, name)) throw alreadyExists(kind, name);
    return { code: 201, object: isDryRun ? this.#rehearse(object) : this.#store.insert(kind, object) };
  }

  #update(target: Target, body: string, isDryRun: boolean): Written {
    const { kind, name } = target;
    const given = readObject(kind, body);
    const previous = this.#expect(target);
    assertReadable(kind, given);
    const { uid, resourceVersion } = given.metadata;
    if (uid && uid !== previous.metadata.uid) {
      const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${previous.metadata.uid}`;
      throw conflict(kind, name, why);
    }
    if (kind.isCustom && !resourceVersion) {
      const detail = 'must be specified for an update';
      throw invalid(kind, name, [{ field: 'metadata.resourceVersion', type: 'invalid', value: '0x0', detail }]);
    }
    return this.#replace(target, previous, given, isDryRun);
  }

  #patch(target: Target, { body, headers }: ApiRequest, isDryRun: boolean): Written {
    const { kind } = target;
    const apply = readPatchType(kind, headers['content-type']);
    const patch = parseJson(body);
    if (!isObject(patch)) throw badRequest('error decoding patch: json: cannot unmarshal into Go value of type map');
    const previous = this.#expect(target);
    const patched = apply(previous, patch) as JsonObject;
    assertReadableInPatch(kind, patched);
    return this.#replace(target, previous, patched, isDryRun);
  }

  #replace(target: Target, previous: StoredObject, given: JsonObject, isDryRun: boolean): Written {
    const { kind, name, subresource } = target;
    const metadata = given.metadata as { name?: string; resourceVersion?: string };
    if (metadata.name !== name) {
      throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
    }
    if (metadata.resourceVersion && metadata.resourceVersion !== previous.metadata.resourceVersion) {
      throw conflict(kind, name, modified);
    }
    const filled = defaultFields(kind, given, target.namespace);
    const next = kind.hasStatus ? withStatus(filled, previous, given, subresource === 'status') : filled;
    const errors = validate(kind, next, previous);
    if (errors.length > 0) throw invalid(kind, name, errors);
    if (isDryRun) return { code: 200, object: { ...previous, ...next } };
    const object = this.#store.replace(kind, previous, next);
    // An object on its way out goes with its last finalizer.
    if (object.metadata.deletionTimestamp && !object.metadata.finalizers?.length) this.#store.erase(kind, object);
    return { code: 200, object };
  }

  /** Options in the body are all there are: the query is then passed over. */
  #delete(target: Target, body: string, isDryRunByQuery: boolean): Written {
    const { kind, name } = target;
    const object = this.#expect(target);
    const options = body ? (parseJson(body) as DeleteOptions) : {};
    const isDryRun = body ? options.dryRun?.includes('All') === true : isDryRunByQuery;
    assertPreconditions(kind, name, object, options.preconditions ?? {});
    if (object.metadata.finalizers?.length && !isDryRun) {
      const deletionTimestamp = object.metadata.deletionTimestamp ?? timestamp(this.#now());
      const leaving = { ...object, metadata: { ...object.metadata, deletionTimestamp } };
      return { code: 200, object: this.#store.replace(kind, object, leaving) };
    }
    if (!isDryRun) this.#store.erase(kind, object);
    const isShown = kind.kind === 'Pod' || kind.kind === 'Namespace';
    return isShown ? { code: 200, object } : { code: 200, status: success(kind, object) };
  }

  #expect({ kind, namespace, name }: Target): StoredObject {
    const found = this.#store.find(kind, namespace, name);
    if (!found) throw notFound(kind, name);
    return found;
  }

  /** An object as a dry run shows it: with an identity, and without a revision. */
  #rehearse(object: JsonObject): StoredObject {
    const uid = '00000000-0000-4000-8000-000000000000';
    const metadata = { ...(object.metadata as JsonObject), uid, creationTimestamp: timestamp(this.#now()) };
    return { ...object, metadata } as unknown as StoredObject;
  }
}

interface DeleteOptions {
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: readonly string[];
}

function withStatus(next: JsonObject, previous: StoredObject, given: JsonObject, isForStatus: boolean): JsonObject {
  return isForStatus ? { ...previous, status: given.status } : { ...next, status: previous.status };
}

/** Who an object is and since when is not its creator's to say. */
function withoutIdentity(object: JsonObject): JsonObject {
  const { uid: _uid, creationTimestamp: _since, ...metadata } = metadataOf(object);
  return { ...object, metadata };
}

function metadataOf(object: JsonObject): JsonObject {
  return object.metadata as JsonObject;
}

function assertPreconditions(
  kind: Kind,
  name: string,
  { metadata }: StoredObject,
  { uid, resourceVersion }: { readonly uid?: string; readonly resourceVersion?: string },
): void {
  // The registry names the kind here, where every other message names the resource.
  const named = { ...kind, plural: kind.kind };
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
    throw conflict(named, name, why);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`;
    throw conflict(named, name, why);
  }
}

function success({ group, plural }: Kind, { metadata: { name, uid } }: StoredObject): Status {
  const details = { name, ...(group ? { group } : {}), kind: plural, uid };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}
