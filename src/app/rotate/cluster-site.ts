import type { Cluster } from '../../kube/port.ts';
import { readInstant } from '../../kube/read-instant.ts';
import type { Clock } from '../../kube/rollout/clock.ts';
import { type ClusterRestartOptions, type RestartMemory, restartDue } from './cluster-restart.ts';
import { type ClusterSources, gatherClusterWorld, readHandout } from './cluster-world.ts';
import type { RotationSite } from './world.ts';

export interface ClusterSiteOptions extends ClusterSources, ClusterRestartOptions {}

/** A cluster as the place of a rotation: evidence from its pods, restarts by their workloads. */
export function openClusterRotationSite(cluster: Cluster, options: ClusterSiteOptions): RotationSite {
  const { namespace, clock } = options;
  const memory: RestartMemory = { services: new Set(), repeated: new Set(), remarks: new Set() };
  return {
    kind: 'cluster',
    // Rounded up, because the server cuts off: whoever started before this moment must not look younger than it.
    instant: async () => {
      const told = await readInstant(cluster, namespace);
      return told ? new Date(told.getTime() + 1000) : clock.now();
    },
    // As it was told: of what has to have passed by then not a second is counted too many.
    gather: async () => {
      const told = await readInstant(cluster, namespace);
      const world = await gatherClusterWorld(cluster, options, told ?? clock.now());
      return told ? world : { ...world, isOwnClock: true };
    },
    restart: async (request) => {
      const told = await readInstant(cluster, namespace);
      const ofServer = told ? shiftClock(clock, told.getTime() - clock.now().getTime()) : clock;
      const surroundings = { cluster, namespace, readHandout: () => readHandout(cluster, options), memory };
      return await restartDue(surroundings, request, { ...options, clock: ofServer });
    },
  };
}

/** So that instants which are compared with those of the API server are of its clock, too. */
function shiftClock(clock: Clock, byMs: number): Clock {
  return { now: () => new Date(clock.now().getTime() + byMs), sleep: clock.sleep };
}
