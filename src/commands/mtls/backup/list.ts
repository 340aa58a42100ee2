import { describeBackups } from '../../../app/backup.ts';
import { storeFlags } from '../../../cli/flags.ts';
import { MtlsCommand } from '../../../cli/mtls-command.ts';
import { openBackups } from '../../../cli/open-backups.ts';
import { renderBackups } from '../../../render/backup.ts';

export default class BackupList extends MtlsCommand {
  static override summary = 'List the copies of the bundle, newest first.';
  static override description =
    'A copy is made before each change: of a directory in the work directory beside it (DIR.mtls/backups), of a cluster in the Secret dapr-mtls-backup of the control plane.';
  static override examples = [
    { description: 'All copies in the cluster', command: '<%= bin %> backup list -k' },
    { description: 'Those of a directory', command: '<%= bin %> backup list --dir certs' },
  ];
  static override exitCodes = [3, 5];
  static override flags = { ...storeFlags };

  override async run(): Promise<void> {
    const { flags } = await this.parse(BackupList);
    const { backups, location } = await openBackups(flags, this.env);
    const report = describeBackups(backups, location);
    await this.emit(report, flags.format, renderBackups);
  }
}
