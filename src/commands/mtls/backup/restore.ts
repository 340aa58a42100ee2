import * as Args from '@oclif/core/args';
import { changeFlags, ignoreOwnerFlag, passphraseFlag, storeFlags } from '../../../cli/flags.ts';
import { MtlsCommand } from '../../../cli/mtls-command.ts';
import { performRestore } from '../../../cli/perform-restore.ts';
import { openSite } from '../../../cli/site.ts';
import { backupRemarks, renderBackupAction } from '../../../render/backup.ts';

export default class BackupRestore extends MtlsCommand {
  static override summary = 'Put a copy into the place of the bundle.';
  static override description =
    `The copy is judged by Sentry's rules first; one that has expired is refused. The present bundle is backed up,
and the change goes step by step as a renewal does. Who was given the trust anchors of the present bundle alone since is cut off.

The same words again bring the same bundle back, so a second run has nothing to do; to go back on a restore name the copy that it made. Where a Helm release or somebody else would undo it, nothing is written unless --ignore-owner says to
go on.`;
  static override examples = [
    { description: 'The newest copy in the cluster', command: '<%= bin %> backup restore -k' },
    {
      description: 'That of a directory, where no Sentry runs',
      command: '<%= bin %> backup restore --dir certs --settle 0',
    },
    { description: 'A certain one', command: '<%= bin %> backup restore 20261122T030405Z --dir certs' },
  ];
  static override exitCodes = [3, 4, 5, 6, 7];
  static override args = {
    id: Args.string({
      description:
        'Which copy, as `backup list` calls it; else the newest that no restore or repair has made of what it replaced.',
      ignoreStdin: true,
    }),
  };
  static override flags = { ...passphraseFlag, ...changeFlags, ...ignoreOwnerFlag, ...storeFlags };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(BackupRestore);
    const { streams, typed } = this;
    const site = await openSite(flags, this.env, streams);
    const report = await performRestore(site, args.id, flags, this.now(), { streams, typed });
    await this.emit(report, flags.format, renderBackupAction);
    for (const remark of backupRemarks(report)) this.streams.warn(`${remark}\n`);
  }
}
