import { isObject, type JsonObject } from './object.ts';

/** RFC 7386: null takes a field away, lists are replaced. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = mergePatch(merged[name], value);
  }
  return merged;
}

/** The lists of the built-in kinds that are merged by a field of their elements (`patchMergeKey`). */
const mergeKeys: Readonly<Record<string, string>> = {
  conditions: 'type',
  containers: 'name',
  env: 'name',
  ephemeralContainers: 'name',
  hostAliases: 'ip',
  imagePullSecrets: 'name',
  initContainers: 'name',
  ownerReferences: 'uid',
  ports: 'containerPort',
  secrets: 'name',
  topologySpreadConstraints: 'topologyKey',
  volumeMounts: 'mountPath',
  volumes: 'name',
  webhooks: 'name',
};

/** Kubernetes' own merge: as `mergePatch`, but lists of named things are merged by name. */
export function strategicMergePatch(target: unknown, patch: unknown, field = ''): unknown {
  if (Array.isArray(patch)) return mergeList(Array.isArray(target) ? target : [], patch, field);
  if (!isObject(patch)) return patch;
  const { $patch: directive, ...fields } = patch;
  if (directive === 'replace') return fields;
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(fields)) {
    if (name.startsWith('$setElementOrder/')) continue;
    if (value === null || (isObject(value) && value.$patch === 'delete')) delete merged[name];
    else merged[name] = strategicMergePatch(merged[name], value, name);
  }
  return merged;
}

function mergeList(target: readonly unknown[], patch: readonly unknown[], field: string): unknown[] {
  if (field === 'finalizers') return [...new Set([...target, ...patch])];
  const key = mergeKeys[field];
  if (key === undefined || ![...target, ...patch].every(isObject)) return [...patch];
  const elements = patch as readonly JsonObject[];
  if (elements.some((element) => element.$patch === 'replace'))
    return elements.filter((one) => one.$patch !== 'replace');
  const merged = [...(target as readonly JsonObject[])];
  for (const element of elements) {
    const index = merged.findIndex((one) => one[key] === element[key]);
    if (element.$patch === 'delete') merged.splice(index, index < 0 ? 0 : 1);
    else if (index < 0) merged.push(element);
    else merged[index] = strategicMergePatch(merged[index], element) as JsonObject;
  }
  return merged;
}
