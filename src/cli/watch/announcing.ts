import type { Announcement, Announcer } from '../../app/watch/ports.ts';
import type { LogEntry } from '../../app/watch/watch.ts';
import { describeFailure } from '../failure.ts';

export interface Announcing {
  /** Returns at once; what is announced comes one after the other. */
  announce(announcement: Announcement): void;
}

/** More than these are not kept for an API server that does not answer. */
const mostWaiting = 100;

/** That announcing fails is said once, until it has succeeded again: the watch goes on without. */
export function openAnnouncing(announcer: Announcer | undefined, log: (entry: LogEntry) => void): Announcing {
  let last = Promise.resolve();
  let waiting = 0;
  let failed: string | undefined;
  const announce = async (announcement: Announcement) => {
    try {
      await announcer?.announce(announcement);
      failed = undefined;
    } catch (error) {
      const { code, message, hint } = describeFailure(error, 'dapr-mtls watch');
      if (failed !== code) log({ level: 'error', message: `Events are not posted: ${message} (${code}). ${hint}` });
      failed = code;
    }
    waiting -= 1;
  };
  return {
    announce: (announcement) => {
      if (!announcer || waiting >= mostWaiting) return;
      waiting += 1;
      last = last.then(() => announce(announcement));
    },
  };
}
