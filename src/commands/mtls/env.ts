import * as Flags from '@oclif/core/flags';
import { describeEnvironment } from '../../app/environment.ts';
import { assertKeyMayShow, findTrustDomain, guessShell } from '../../cli/environment.ts';
import { certificateFlags, configFlag, directoryFlags } from '../../cli/flags.ts';
import { MtlsCommand } from '../../cli/mtls-command.ts';
import { locateDirectory, openDirectory } from '../../cli/open-store.ts';
import { renderEnvironment, shells } from '../../render/environment.ts';

export default class Env extends MtlsCommand {
  static override summary = 'Print the environment variables that a self-hosted daprd needs.';
  static override description =
    `DAPR_TRUST_ANCHORS, NAMESPACE, and trust domain and namespace of the control plane, as lines for a shell.

daprd up to 1.13 also wants the issuer's certificate and key: --with-issuer-key adds them. Newer ones do not read them, and giving them
would put the key that signs for every service into each application.`;
  static override examples = [
    { description: 'Into this shell', command: 'eval "$(<%= bin %> env --dir certs --shell bash)"' },
    { description: 'Into fish', command: '<%= bin %> env --dir certs --shell fish' },
    { description: 'For daprd up to 1.13', command: '<%= bin %> env --dir certs --with-issuer-key' },
  ];
  static override exitCodes = [4, 5];
  static override flags = {
    shell: Flags.option({
      description: 'The shell to write for (default: as the variable SHELL says).',
      options: shells,
    })(),
    namespace: Flags.string({
      char: 'n',
      description: 'The namespace, for the sidecar and the control plane.',
      default: 'default',
    }),
    'with-issuer-key': Flags.boolean({ description: 'Add the issuer certificate and its KEY, for daprd up to 1.13.' }),
    'trust-domain': certificateFlags['trust-domain'],
    ...configFlag,
    ...directoryFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Env);
    assertKeyMayShow(flags['with-issuer-key'], flags.format);
    const place = locateDirectory(flags, this.env);
    const store = openDirectory(place);
    const trustDomain = flags['trust-domain'] ?? (await findTrustDomain(place, flags.config));
    const report = describeEnvironment(await store.read(), store.location, {
      trustDomain,
      namespace: flags.namespace,
      withIssuerKey: flags['with-issuer-key'],
    });
    await this.emit(report, flags.format, (environment) =>
      renderEnvironment(environment, flags.shell ?? guessShell(this.env)),
    );
    if (flags['with-issuer-key'])
      this.streams.warn(
        'Warning: this output holds the key that signs for every service. daprd from 1.14 on does not need it.\n',
      );
  }
}
