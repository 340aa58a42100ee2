import * as Args from '@oclif/core/args';
import { confirmable } from '../../../app/rotate/record.ts';
import { MtlsCommand } from '../../../cli/mtls-command.ts';
import { openRotation } from '../../../cli/open-rotation.ts';
import { confirmHere } from '../../../cli/perform-rotation.ts';
import { recordFlags } from '../../../cli/rotate-flags.ts';
import { renderRotation } from '../../../render/rotation.ts';

export default class RotateConfirm extends MtlsCommand {
  static override summary = 'Vouch for what a rotation cannot see.';
  static override description = `Counts for the phase under way alone, and is recorded with your name.

external-clients: clients that join with tokens of their own (tokenValidators) have taken the anchors of today. restarted: every sidecar of
the directory was started anew with them. issuer-switched: the directory's Sentry has read its files again.`;
  static override examples = [
    { description: 'All sidecars were started anew', command: '<%= bin %> rotate confirm restarted --dir certs' },
    {
      description: 'The clients outside of the cluster have followed',
      command: '<%= bin %> rotate confirm external-clients -k',
    },
  ];
  static override exitCodes = [3, 5, 6];
  static override args = {
    what: Args.string({
      description: 'external-clients, restarted or issuer-switched.',
      required: true,
      options: [...confirmable],
    }),
  };
  static override flags = recordFlags;

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(RotateConfirm);
    const rotation = await openRotation(flags, this.env, this.streams);
    try {
      const what = confirmable.find((name) => name === args.what);
      if (!what) throw new Error('the parser lets only these through');
      await this.emit(await confirmHere(rotation, what, this.now()), flags.format, renderRotation);
    } finally {
      rotation.close();
    }
  }
}
