import type { RotationProgress } from '../app/rotate/advance.ts';
import { describeWaits } from '../render/rotation.ts';
import type { RotationProgress as LockProgress } from '../store/rotation-options.ts';
import type { Streams } from './streams.ts';

/** One line for each step, and what is waited for only when it changes. */
export function tellOfRotation(streams: Streams): (progress: RotationProgress) => void {
  let told = '';
  return (progress) => {
    const text = sentenceOf(progress);
    if (text === told) return;
    told = text;
    streams.note(text);
  };
}

function sentenceOf(progress: RotationProgress): string {
  switch (progress.kind) {
    case 'proved':
      return `${progress.phase}: ${progress.pairs} pairs that can meet verify each other\n`;
    case 'writing':
      return `${progress.phase}: writing the bundle\n`;
    case 'written':
      return `${progress.phase}: the bundle is written and read back\n`;
    case 'restarting':
      return `${progress.phase}: restarting who has to follow\n`;
    case 'passed':
      return `${progress.phase}: passed. ${progress.evidence.join('. ')}.\n`;
    case 'waiting':
      return `${progress.phase}: waiting\n${describeWaits(progress.waits)}`;
    case 'closed':
      return `Outside of the window: nothing is written or restarted before ${progress.until.toISOString()}\n`;
    case 'remark':
      return `${progress.text}\n`;
  }
}

export function tellOfLock(streams: Streams): (progress: LockProgress) => void {
  let announced = '';
  return (progress) => {
    const { kind, holder } = progress;
    if (`${kind} ${holder.name}` === announced) return;
    announced = `${kind} ${holder.name}`;
    const who = `"${holder.purpose}" (${holder.name})`;
    if (kind === 'taken-over') return streams.note(`${who} has died; this run goes on in its place\n`);
    if (kind === 'waiting') return streams.note(`Waiting for ${who}, which is at work on the rotation\n`);
    const seconds = Math.ceil(progress.remainingMs / 1000);
    streams.note(`${who} is at work there or has died; waiting ${seconds} s to see whether it moves\n`);
  };
}
