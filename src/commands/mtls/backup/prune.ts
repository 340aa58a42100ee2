import { pruneBackups } from '../../../app/backup.ts';
import { changeFlags, storeFlags } from '../../../cli/flags.ts';
import { MtlsCommand } from '../../../cli/mtls-command.ts';
import { openSite } from '../../../cli/site.ts';
import { renderBackupAction } from '../../../render/backup.ts';

export default class BackupPrune extends MtlsCommand {
  static override summary = 'Remove the oldest copies of the bundle.';
  static override description = 'Keeps the newest ones; how many says --keep. What is removed is gone, keys included.';
  static override examples = [
    { description: 'Keep two in the cluster', command: '<%= bin %> backup prune -k --keep 2' },
    { description: 'Keep two of a directory', command: '<%= bin %> backup prune --dir certs --keep 2' },
  ];
  static override exitCodes = [3, 5, 6];
  static override flags = { ...changeFlags, ...storeFlags };

  override async run(): Promise<void> {
    const { flags } = await this.parse(BackupPrune);
    const { store } = await openSite(flags, this.env, this.streams);
    await this.emit(await pruneBackups(store, flags.keep), flags.format, renderBackupAction);
  }
}
