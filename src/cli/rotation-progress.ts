import { nameSome } from '../app/rotate/plan.ts';
import type { RotationProgress } from '../app/rotate/ports.ts';
import { describeWaits } from '../render/rotation.ts';
import { hang, readInstants } from '../render/rotation-text.ts';
import { widthOf } from '../render/text.ts';
import type { RotationProgress as LockProgress } from '../store/rotation-options.ts';
import type { Streams } from './streams.ts';

export interface Told {
  /** Whether the run waits at gates; the answer of one that does not tells what it would wait for. */
  readonly stays: boolean;
  /** Whether restarts are this program's: in a directory only where it was told how. */
  readonly restarts: boolean;
}

/** One line for each step; what is looked at again and again is told when it has changed. */
export function tellOfRotation(streams: Streams, { stays, restarts }: Told): (progress: RotationProgress) => void {
  const width = widthOf(streams.outTerminal);
  const told = new Map<RotationProgress['kind'], string>();
  return (progress) => {
    if ((progress.kind === 'waiting' && !stays) || (progress.kind === 'restarting' && !restarts)) return;
    const text = readInstants(sentenceOf(progress, width));
    if (told.get(progress.kind) === text) return;
    told.set(progress.kind, text);
    streams.note(text);
  };
}

function sentenceOf(progress: RotationProgress, width: number): string {
  switch (progress.kind) {
    case 'proved':
      return [
        `${progress.phase}: ${progress.pairs} pairs that can meet were proved\n`,
        ...(progress.cutOff.length > 0 ? hang('  ', sayCutOff(progress.cutOff), width).map((line) => `${line}\n`) : []),
      ].join('');
    case 'writing':
      return `${progress.phase}: writing the bundle\n`;
    case 'written':
      return `${progress.phase}: the bundle is written and read back\n`;
    case 'restarting':
      return `${progress.phase}: restarting who has to follow\n`;
    case 'passed':
      return [`${progress.phase}: passed`, ...progress.evidence.flatMap((line) => hang('  ', line, width)), ''].join(
        '\n',
      );
    case 'waiting':
      return `${progress.phase}: waiting for\n${describeWaits(progress.waits, width)}`;
    case 'closed':
      return `Outside of the window: nothing is written or restarted before ${progress.until.toISOString()}\n`;
    case 'remark':
      return `${progress.text}\n`;
  }
}

function sayCutOff(workloads: readonly string[]): string {
  return `Cut off until they are restarted: ${nameSome(workloads)}`;
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
