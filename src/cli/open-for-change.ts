import { type DirectoryProgress, DirectoryStore } from '../store/directory/directory-store.ts';
import type { Place } from '../store/directory/place.ts';
import { installStopSwitch, type StopSwitch } from './stop.ts';
import type { Streams } from './streams.ts';

/** Kept apart from reading, so that commands which only read do not load what writes. */
export function openForChange(
  place: Place,
  settleSeconds: number,
  streams: Streams,
  stop: StopSwitch = installStopSwitch(),
): DirectoryStore {
  return new DirectoryStore(place, {
    clock: { now: () => new Date(), sleep: stop.sleep },
    settleMs: settleSeconds * 1000,
    assertRunning: stop.assertRunning,
    onProgress: progressNotes(streams),
  });
}

/** One line for each wait, not one a second. */
function progressNotes(streams: Streams): (progress: DirectoryProgress) => void {
  let announced = '';
  return (progress) => {
    if (progress.kind === 'finishing') {
      streams.note(`Finishing the change that "${progress.purpose}" began at ${progress.startedAt} and did not end\n`);
    } else if (progress.kind === 'step') {
      streams.note(`Step ${progress.index + 1} of ${progress.count}: ${progress.step}\n`);
    } else if (announced !== progress.step) {
      announced = progress.step;
      const seconds = Math.ceil(progress.remainingMs / 1000);
      streams.note(`Waiting ${seconds} s until ${progress.directory} is quiet (--settle 0 when no Sentry runs)\n`);
    }
  };
}
