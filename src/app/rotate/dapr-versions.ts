import { type DaprVersion, isAtLeast, parseDaprVersion } from '../../pki/rules/context.ts';
import type { Sidecar } from './world.ts';

/** Which versions of daprd take part in a rotation. */
export interface SidecarVersions {
  /** Each once, the oldest first. */
  readonly told: readonly SidecarVersion[];
  /** NAMESPACE/NAME of workloads whose sidecars do not tell theirs, as where an image is named by its digest. */
  readonly untold: readonly string[];
}

export interface SidecarVersion {
  readonly version: DaprVersion;
  /** NAMESPACE/NAME. */
  readonly workloads: readonly string[];
}

/**
 * Pure.
 * @param skipped NAMESPACE/NAME of workloads that somebody has answered for
 * @param stated what people say that those run which do not tell
 */
export function collectVersions(
  sidecars: readonly Sidecar[],
  skipped: readonly string[],
  stated: DaprVersion | undefined,
): SidecarVersions {
  const found = new Map<string, { readonly version: DaprVersion; readonly workloads: Set<string> }>();
  const untold = new Set<string>();
  for (const { namespace, workload, daprVersion } of sidecars) {
    const name = `${namespace}/${workload.name}`;
    if (skipped.includes(name)) continue;
    const version = parseDaprVersion(daprVersion ?? '') ?? stated;
    if (!version) untold.add(name);
    else {
      const group = found.get(nameVersion(version)) ?? { version, workloads: new Set() };
      found.set(nameVersion(version), group);
      group.workloads.add(name);
    }
  }
  const told = [...found.values()]
    .sort((a, b) => (isOlder(a.version, b.version) ? -1 : 1))
    .map(({ version, workloads }) => ({ version, workloads: [...workloads].sort() }));
  return { told, untold: [...untold].sort() };
}

export function nameVersion({ major, minor, patch }: DaprVersion): string {
  return `${major}.${minor}.${patch}`;
}

function isOlder(one: DaprVersion, { major, minor, patch }: DaprVersion): boolean {
  return !isAtLeast(one, major, minor, patch);
}
