import type { AdvanceOptions } from '../app/rotate/advance.ts';
import type { PhaseName } from '../app/rotate/record.ts';
import { isOpen, nextOpening, parseWindow } from '../app/rotate/window.ts';
import type { OpenRotation } from './open-rotation.ts';
import { readScopes } from './rotate-flags.ts';

export interface AdvanceFlags {
  readonly wait: boolean;
  readonly until: PhaseName | undefined;
  readonly window: string | undefined;
  readonly restart: 'all' | 'control-plane' | 'none';
}

/** Listing ten thousand pods costs the API server something; a handshake costs nobody anything. */
const pollMs = { cluster: 10_000, directory: 1_000 } as const;
/** Who waits for the gates waits for another run, too. */
const longestMs = 365 * 86_400_000;

/** @throws DaprMtlsError `usage.invalid` for a window that cannot be read */
export function readAdvanceOptions(
  { wait, until, window, restart }: AdvanceFlags,
  { rotationSite }: Pick<OpenRotation, 'rotationSite'>,
): AdvanceOptions {
  const opening = window === undefined ? undefined : parseWindow(window);
  return {
    wait,
    until,
    closedUntil: (now) => (opening === undefined || isOpen(opening, now) ? undefined : nextOpening(opening, now)),
    lockWaitMs: wait ? longestMs : 0,
    pollMs: pollMs[rotationSite.kind],
    restarts: readScopes(restart),
  };
}
