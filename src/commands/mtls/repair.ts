import * as Flags from '@oclif/core/flags';
import { changeFlags, passphraseFlag, storeFlags } from '../../cli/flags.ts';
import { MtlsCommand } from '../../cli/mtls-command.ts';
import { performRepair } from '../../cli/perform-repair.ts';
import { openSite } from '../../cli/site.ts';
import { renderRepair, repairRemarks } from '../../render/repair.ts';

export default class Repair extends MtlsCommand {
  static override summary = 'Finish a change that was interrupted, or make Secret and ConfigMap one bundle again.';
  static override description =
    `A change stands written down before its first write. Whatever kills it, the next changing command finishes it;
this one does only that. --abandon gives the change up instead and keeps what is there, for the case that somebody else has changed it
meanwhile: judge it with check afterwards.

In a cluster Secret and ConfigMap may come to differ, as after \`kubectl edit secret\`. The next Sentry that starts then makes a new root,
and every sidecar is cut off. --from says which side is right: it is judged by Sentry's rules, the difference is shown, both objects are
backed up, and the ConfigMap is away until both hold the same. Restart nothing before. A Helm release or somebody else that will undo it
is named, and does not stop it.`;
  static override examples = [
    { description: 'Finish what was begun in a directory', command: '<%= bin %> repair --dir certs' },
    { description: 'What would it take?', command: '<%= bin %> repair -k --from secret --dry-run' },
    { description: 'The Secret is right', command: '<%= bin %> repair -k --from secret' },
    { description: 'Neither is: bring the newest copy back', command: '<%= bin %> repair -k --from backup' },
  ];
  static override exitCodes = [3, 4, 5, 6, 7];
  static override flags = {
    abandon: Flags.boolean({ description: 'Give the interrupted change up and keep what is there.' }),
    from: Flags.option({
      description: 'Which side of a cluster is right.',
      options: ['secret', 'configmap', 'backup'] as const,
      exclusive: ['abandon'],
    })(),
    backup: Flags.string({
      description: 'Which copy --from backup takes (default as `backup restore` chooses).',
      helpValue: 'ID',
    }),
    'dry-run': Flags.boolean({ description: 'Show what --from would change; write nothing.' }),
    yes: Flags.boolean({ char: 'y', description: 'Go on without a question; only a terminal is asked.' }),
    ...passphraseFlag,
    settle: changeFlags.settle,
    ...storeFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Repair);
    const site = await openSite(flags, this.env, this.streams);
    const report = await performRepair(site, flags, this.now(), this.streams);
    await this.emit(report, flags.format, renderRepair);
    for (const remark of repairRemarks(report)) this.streams.warn(`${remark}\n`);
  }
}
