import { MtlsCommand } from '../../../cli/mtls-command.ts';
import { openRotation } from '../../../cli/open-rotation.ts';
import { statusHere } from '../../../cli/perform-rotation.ts';
import { recordFlags } from '../../../cli/rotate-flags.ts';
import { renderRotationStatus, rotationRemarks } from '../../../render/rotation.ts';

export default class RotateStatus extends MtlsCommand {
  static override summary = 'Show how far a rotation is, what it waits for, and all that was done.';
  static override description =
    `The history tells every transition with its evidence, its moment and who made it: attach it to a change ticket. Nothing
secret is in it. Nothing is written.`;
  static override examples = [
    { description: 'How far is it?', command: '<%= bin %> rotate status -k' },
    { description: 'The whole record, for a change ticket', command: '<%= bin %> rotate status -k --format yaml' },
  ];
  static override exitCodes = [3, 5];
  static override flags = recordFlags;

  override async run(): Promise<void> {
    const { flags } = await this.parse(RotateStatus);
    const rotation = await openRotation(flags, this.env, this.streams);
    try {
      const report = await statusHere(rotation);
      await this.emit(report, flags.format, renderRotationStatus);
      for (const remark of rotationRemarks(report)) this.streams.note(`${remark}\n`);
    } finally {
      rotation.close();
    }
  }
}
