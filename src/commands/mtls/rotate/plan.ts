import { MtlsCommand } from '../../../cli/mtls-command.ts';
import { openRotation } from '../../../cli/open-rotation.ts';
import { planHere } from '../../../cli/perform-rotation.ts';
import { planFlags } from '../../../cli/rotate-flags.ts';
import { renderRotationPlan } from '../../../render/rotation-plan.ts';

export default class RotatePlan extends MtlsCommand {
  static override summary = 'Show how the root of trust would be rotated without losing a call, and what proves it.';
  static override description =
    `Picks the gentlest procedure that holds: a new issuer under the same root or the root anew on its key, where
--private-key gives that key; else a bridge, where the old chain leaves room for it and the Dapr version is one on which it is proven; else
staged, first the new anchor for everybody, then the new issuer. Why a gentler one was not taken is said.

Every pair that can meet while a phase is under way is verified from leaf to anchor as Go does it: all anchors that anybody may hold, the
sidecars' as they were born with, against all certificates that anybody may show. Nothing is written.`;
  static override examples = [
    { description: 'How would the cluster be rotated?', command: '<%= bin %> rotate plan -k' },
    {
      description: 'A directory, whose Dapr is of a version on which a bridge is proven',
      command: '<%= bin %> rotate plan --dir certs --dapr-version 1.17',
    },
    {
      description: 'With the key of the running root',
      command: '<%= bin %> rotate plan --dir certs --private-key root.key --passphrase-file passphrase',
    },
  ];
  static override exitCodes = [3, 4, 5];
  static override flags = planFlags;

  override async run(): Promise<void> {
    const { flags } = await this.parse(RotatePlan);
    const rotation = await openRotation(flags, this.env, this.streams);
    try {
      const { report } = await planHere(rotation, flags, this.now());
      await this.emit(report, flags.format, renderRotationPlan);
      this.streams.note(`Nothing was written. To begin: ${this.typed.replace('rotate plan', 'rotate run')}\n`);
    } finally {
      rotation.close();
    }
  }
}
