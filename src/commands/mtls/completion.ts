import * as Args from '@oclif/core/args';
import { completionScript } from '../../cli/completion.ts';
import { readManifest } from '../../cli/manifest.ts';
import { MtlsCommand } from '../../cli/mtls-command.ts';
import { type Shell, shells } from '../../render/environment.ts';

export default class Completion extends MtlsCommand {
  static override summary = 'Print the completion script of a shell, for the name dapr-mtls.';
  static override description = 'The script is static: completing a word starts no program.';
  static override examples = [
    { description: 'bash, in ~/.bashrc', command: 'source <(dapr-mtls completion bash)' },
    { description: 'zsh', command: 'dapr-mtls completion zsh > _dapr-mtls' },
    { description: 'fish', command: 'dapr-mtls completion fish > dapr-mtls.fish' },
    { description: 'PowerShell', command: 'dapr-mtls completion powershell' },
  ];
  static override args = {
    shell: Args.string({ description: shells.join(', '), required: true, options: [...shells], ignoreStdin: true }),
  };

  override async run(): Promise<void> {
    const { args } = await this.parse(Completion);
    this.streams.out(completionScript(readManifest(this.home), args.shell as Shell));
  }
}
