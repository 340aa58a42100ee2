import * as Flags from '@oclif/core/flags';
import { abandonInterrupted, finishInterrupted } from '../../app/repair.ts';
import { changeFlags, storeFlags } from '../../cli/flags.ts';
import { MtlsCommand } from '../../cli/mtls-command.ts';
import { openSite } from '../../cli/site.ts';
import { renderRepair } from '../../render/repair.ts';

export default class Repair extends MtlsCommand {
  static override summary = 'Finish a change that was interrupted, and do nothing else.';
  static override description =
    `A change stands in a journal before its first write. Whatever kills it, the next changing command finishes it;
this one does only that. --abandon gives the change up instead and keeps the files as they are, for the case that somebody else has
changed them meanwhile: judge them with check afterwards.`;
  static override examples = [{ description: 'Finish what was begun', command: '<%= bin %> repair --dir certs' }];
  static override exitCodes = [4, 5, 6, 7];
  static override flags = {
    abandon: Flags.boolean({ description: 'Give the interrupted change up and keep what is there.' }),
    settle: changeFlags.settle,
    ...storeFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Repair);
    const { store } = await openSite(flags, this.env, this.streams);
    const report = flags.abandon ? await abandonInterrupted(store) : await finishInterrupted(store);
    await this.emit(report, flags.format, renderRepair);
  }
}
