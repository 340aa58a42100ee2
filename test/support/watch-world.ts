import type { Moment } from '../../src/app/watch/moment.ts';
import type { SidecarSight, Sight } from '../../src/app/watch/ports.ts';
import { parseThresholds, type Threshold } from '../../src/app/watch/thresholds.ts';
import { beginWatch, type Effect, type Happening, turnWatch, type WatchState } from '../../src/app/watch/watch.ts';
import type { FoundFiles } from '../../src/pki/reading.ts';
import type { StoreLocation } from '../../src/store/port.ts';
import { bundleNames } from './bundles.ts';

export const watchedDirectory: StoreLocation = { kind: 'directory', name: '/srv/certs', names: bundleNames };

export function sightOf(files: Partial<FoundFiles>, rest: Partial<Omit<Sight, 'bundle'>> = {}): Sight {
  const all = { anchors: undefined, issuerChain: undefined, issuerKey: undefined, ...files };
  return {
    bundle: { files: all, revision: '', state: 'settled' },
    unread: [],
    findings: [],
    sidecars: undefined,
    ...rest,
  };
}

export function sidecarsOf(current: number, stale: number, broken = 0): SidecarSight {
  const sidecars = current + stale + broken;
  const behind =
    stale + broken === 0
      ? []
      : [{ namespace: 'shop', kind: 'Deployment', name: 'checkout', state: 'stale', sidecars: stale }];
  return { problem: null, totals: { sidecars, current, stale, broken, unknown: 0 }, behind };
}

export function thresholdsOf(text: string): readonly Threshold[] {
  const thresholds = parseThresholds(text);
  if (!thresholds) throw new Error(`no thresholds: ${text}`);
  return thresholds;
}

/** A watch that is told what happens, and keeps what it has asked for. */
export function startWatch({ thresholds = '30d', leads = true, location = watchedDirectory } = {}) {
  let state: WatchState = beginWatch(location, thresholdsOf(thresholds), leads);
  return {
    state: () => state,
    turn: (happening: Happening, now: Moment): readonly Effect[] => {
      const turn = turnWatch(state, happening, now);
      state = turn.state;
      return turn.effects;
    },
  };
}

/** Both clocks at one pace. */
export function momentAt(at: Date): Moment {
  return { at, elapsedMs: at.getTime() };
}

export function linesOf(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => (effect.kind === 'log' ? `${effect.level}: ${effect.message}` : []));
}
