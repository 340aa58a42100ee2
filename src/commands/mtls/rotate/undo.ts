import { exitCodeOfRotation } from '../../../app/rotate/report.ts';
import { abandonHere } from '../../../cli/abandon-rotation.ts';
import { MtlsCommand } from '../../../cli/mtls-command.ts';
import { openRotation } from '../../../cli/open-rotation.ts';
import { undoHere } from '../../../cli/perform-rotation.ts';
import { putBackHere } from '../../../cli/put-back.ts';
import { advanceFlags, recordFlags, undoFlags } from '../../../cli/rotate-flags.ts';
import { readAdvanceOptions } from '../../../cli/rotate-input.ts';
import { renderRotation, rotationRemarks } from '../../../render/rotation.ts';

const { until: _until, resume: _resume, ...flagsOfUndo } = advanceFlags;

export default class RotateUndo extends MtlsCommand {
  static override summary = 'Go back from a rotation, by the act that is right for its phase.';
  static override description =
    `Before the issuer was switched the new anchor goes again. After it the old issuer signs again while everybody holds both anchors,
and the new anchor goes when the last certificate of the new issuer has ended. Once the old anchor has gone only a new rotation leads back.
The way back is proved and waited for as the way there.

Where somebody has put another bundle there that is to stay, --abandon ends the rotation and leaves the bundle alone. A record that cannot
be read is put aside by it.`;
  static override examples = [
    { description: 'Back, and stay until it is done', command: '<%= bin %> rotate undo -k --wait' },
    { description: 'Keep the bundle that stands there', command: '<%= bin %> rotate undo -k --abandon' },
    { description: 'In a directory', command: '<%= bin %> rotate undo --dir certs --sentry localhost:50001' },
  ];
  static override exitCodes = [3, 4, 5, 6, 7, 8];
  static override flags = { ...recordFlags, ...flagsOfUndo, ...undoFlags };

  override async run(): Promise<void> {
    const { flags } = await this.parse(RotateUndo);
    const { streams, typed } = this;
    const rotation = await openRotation(flags, this.env, streams);
    try {
      const options = readAdvanceOptions({ ...flags, until: undefined }, rotation);
      const surroundings = { streams, typed, now: this.now() };
      if (flags['put-back']) await putBackHere(rotation, flags, options.lockWaitMs, surroundings);
      const report = flags.abandon
        ? await abandonHere(rotation, flags, options.lockWaitMs, surroundings.now)
        : await undoHere(rotation, flags, options, surroundings);
      await this.emit(report, flags.format, renderRotation);
      for (const remark of rotationRemarks(report)) streams.warn(`${remark}\n`);
      process.exitCode = exitCodeOfRotation(report);
    } finally {
      rotation.close();
    }
  }
}
