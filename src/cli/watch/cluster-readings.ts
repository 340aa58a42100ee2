import { performance } from 'node:perf_hooks';
import type { Cluster, KubeObject } from '../../kube/port.ts';
import { configMapRef } from '../../store/cluster/objects.ts';
import type { ClusterReading } from './cluster-reading.ts';

/** What was read of a control plane, for as long as nothing of it changes. */
export interface Readings {
  /** Of the ConfigMap in the last reading. */
  readonly configMapVersion: string | undefined;
  /** Something has changed that a reading depends on. */
  outdate(): void;
  /** @throws DaprMtlsError `cluster.*`; what was read before is kept */
  refresh(): Promise<ClusterReading>;
}

export interface ReadingOptions {
  /** No reading is kept for longer. */
  readonly everyMs: number;
  readonly readAll: () => Promise<ClusterReading>;
}

/** A renewal has the ConfigMap away for some seconds: as long as that it is no news. */
export const absenceMs = 30_000;
/** Timers are not exact, and a reading may have taken its time: one that is nearly too old is. */
const timerSlackMs = 5_000;

/** The ConfigMap is asked for each time; the rest, with a handshake, only where something has changed or it is time. */
export function keepReadings(cluster: Cluster, namespace: string, { everyMs, readAll }: ReadingOptions): Readings {
  let kept:
    | { readonly reading: ClusterReading; readonly atMs: number; readonly version: string | undefined }
    | undefined;
  let isOutdated = true;
  let missingSinceMs: number | undefined;
  const longestMs = everyMs - Math.min(everyMs / 10, timerSlackMs);
  return {
    get configMapVersion() {
      return kept?.version;
    },
    outdate: () => {
      isOutdated = true;
    },
    refresh: async () => {
      const nowMs = performance.now();
      const configMap = await cluster.get<KubeObject>(configMapRef({ namespace }));
      const version = configMap?.metadata.resourceVersion;
      missingSinceMs = configMap ? undefined : (missingSinceMs ?? nowMs);
      const isAway = missingSinceMs !== undefined && nowMs - missingSinceMs < absenceMs;
      if (kept && isAway && kept.version !== undefined) return whileChanging(kept.reading);
      if (kept && !isOutdated && version === kept.version && nowMs - kept.atMs < longestMs) return kept.reading;
      isOutdated = false;
      try {
        const reading = await readAll();
        // It went in between.
        if (kept && version !== undefined && !reading.hasConfigMap) {
          isOutdated = true;
          return whileChanging(kept.reading);
        }
        kept = { reading, atMs: nowMs, version };
        return reading;
      } catch (error) {
        isOutdated = true;
        throw error;
      }
    },
  };
}

/** What a change leads to is told when it is there. */
function whileChanging(reading: ClusterReading): ClusterReading {
  return { ...reading, stored: { ...reading.stored, state: 'changing' } };
}
