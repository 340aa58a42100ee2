/**
 * True where an object is as a merge patch (RFC 7386) would leave it. `metadata.resourceVersion` is
 * the patch's precondition and not a part of what it asks for.
 */
export function containsPatch(object: unknown, patch: object): boolean {
  const { metadata, ...rest } = patch as { metadata?: Record<string, unknown> };
  const { resourceVersion: _precondition, ...asked } = metadata ?? {};
  return contains(object, { ...rest, metadata: asked });
}

function contains(value: unknown, patch: unknown): boolean {
  if (patch === null) return value === undefined || value === null;
  if (!isMapping(patch)) return isSame(value, patch);
  if (!isMapping(value)) return Object.values(patch).every((part) => part === null || isEmptyPatch(part));
  return Object.entries(patch).every(([name, part]) => contains(value[name], part));
}

/** An API server leaves empty mappings out. */
function isEmptyPatch(patch: unknown): boolean {
  return isMapping(patch) && Object.values(patch).every((part) => part === null || isEmptyPatch(part));
}

function isSame(left: unknown, right: unknown): boolean {
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => isSame(item, right[index]));
  }
  if (isMapping(left) && isMapping(right)) {
    const names = new Set([...Object.keys(left), ...Object.keys(right)]);
    return [...names].every((name) => isSame(left[name], right[name]));
  }
  return left === right;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
