import { createBackup } from '../../../app/backup.ts';
import { changeFlags, passphraseFlag, storeFlags } from '../../../cli/flags.ts';
import { readPassphrase } from '../../../cli/key-files.ts';
import { MtlsCommand } from '../../../cli/mtls-command.ts';
import { openSite } from '../../../cli/site.ts';
import { renderBackupAction } from '../../../render/backup.ts';

export default class BackupCreate extends MtlsCommand {
  static override summary = 'Copy the bundle as it is now.';
  static override description =
    'The issuer key is part of the copy: encrypted with --passphrase-file, else in clear, in a file of mode 0600 or in the Secret dapr-mtls-backup of a cluster. A change that was interrupted is finished first.';
  static override examples = [
    { description: "A copy of the cluster's bundle", command: '<%= bin %> backup create -k' },
    {
      description: 'A copy with the key encrypted',
      command: '<%= bin %> backup create --dir certs --passphrase-file passphrase',
    },
  ];
  static override exitCodes = [3, 4, 5, 6];
  static override flags = { ...passphraseFlag, settle: changeFlags.settle, ...storeFlags };

  override async run(): Promise<void> {
    const { flags } = await this.parse(BackupCreate);
    const { store } = await openSite(flags, this.env, this.streams);
    await this.emit(
      await createBackup(store, readPassphrase(flags['passphrase-file'])),
      flags.format,
      renderBackupAction,
    );
  }
}
