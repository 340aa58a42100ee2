import * as Flags from '@oclif/core/flags';
import { initialize } from '../../app/init.ts';
import { assertNotRotatingDirectory } from '../../cli/assert-not-rotating.ts';
import { certificateFlags, changeFlags, configFlag, directoryFlags, keyFlags } from '../../cli/flags.ts';
import { readInitInput } from '../../cli/init-input.ts';
import { MtlsCommand } from '../../cli/mtls-command.ts';
import { openForChange } from '../../cli/open-for-change.ts';
import { defaultDirectory, locateDirectory } from '../../cli/open-store.ts';
import { initRemarks, renderInit } from '../../render/init.ts';

export default class Init extends MtlsCommand {
  static override summary = 'Make a trust bundle and a Configuration for self-hosted Dapr.';
  static override description =
    `Writes ca.crt, issuer.crt and issuer.key into a directory (default $HOME/.dapr/certs), 0700 and 0600, and a
Configuration beside it, without which Sentry does not start. A bundle that is there already is left as it is unless --force says
otherwise; then it is backed up first.

It ends by printing the exact command lines of sentry and daprd. With -k it is another command: \`init -k --help\`.`;
  static override examples = [
    { description: 'A bundle for a year', command: '<%= bin %> init --dir certs' },
    {
      description: 'Keep the root key, encrypted: next year the root is renewed on its key',
      command: '<%= bin %> init --dir kept/certs --save-root-key root-ca.key --passphrase-file passphrase',
    },
    {
      description: 'A root for ten years, an issuer for 90 days, another trust domain',
      command:
        '<%= bin %> init --dir prod/certs --root-valid-until 10y --valid-until 90d --trust-domain prod.example.org',
    },
    {
      description: 'Your own certificates, judged before they are written',
      command:
        '<%= bin %> init --dir own/certs --ca-root-certificate ca.crt --issuer-public-certificate issuer.crt --issuer-private-key issuer.key',
    },
  ];
  static override exitCodes = [4, 5, 6];
  static override flags = {
    force: Flags.boolean({ description: 'Replace a bundle that is there; it is backed up first.' }),
    'enable-mtls': Flags.boolean({
      description: 'Whether the Configuration enables mutual TLS for sidecars.',
      default: true,
      allowNo: true,
    }),
    ...certificateFlags,
    ...keyFlags,
    ...configFlag,
    ...changeFlags,
    ...directoryFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Init);
    const place = locateDirectory(flags, this.env, () => defaultDirectory(this.env));
    await assertNotRotatingDirectory(place);
    const input = await readInitInput(flags, place, this.now());
    const report = await initialize(openForChange(place, flags.settle, this.streams), input);
    await this.emit(report, flags.format, renderInit);
    for (const remark of initRemarks(report)) this.streams.warn(`${remark}\n`);
  }
}
