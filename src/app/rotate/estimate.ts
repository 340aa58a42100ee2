import type { Phase, RotationSettings } from './record.ts';
import type { World } from './world.ts';

/** A service takes about so long to come back. */
const serviceMs = 30_000;
/** And a workload, of which a few go at a time. */
const workloadMs = 45_000;
const atATime = 3;
/** The store looks on for ten seconds after a write. */
const writeMs = 15_000;

/** About how long a phase takes when nobody is in the way; to plan an evening by, and nothing hangs on it. */
export function estimateMs(
  { writes, restarts, gates }: Phase,
  { sidecars, services }: Pick<World, 'sidecars' | 'services'>,
  settings: Pick<RotationSettings, 'workloadCertTtlMs' | 'allowedClockSkewMs'>,
  isDrained: boolean,
): number {
  const workloads = new Set((sidecars ?? []).map(({ namespace, workload }) => `${namespace}/${workload.name}`)).size;
  const instances = services?.length ?? 0;
  const durations = [
    writes ? writeMs : 0,
    restarts.includes('sentry') ? serviceMs : 0,
    restarts.includes('services') ? instances * serviceMs : 0,
    restarts.includes('applications') ? Math.ceil(workloads / atATime) * workloadMs : 0,
    gates.includes('old-leaves-gone') && !isDrained ? settings.workloadCertTtlMs + settings.allowedClockSkewMs : 0,
  ];
  return durations.reduce((total, ms) => total + ms, 0);
}
