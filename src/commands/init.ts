import { initializeCluster } from '../cli/init-cluster.ts';
import { initClusterFlags, noteSelfHostedFlags } from '../cli/init-cluster-flags.ts';
import { MtlsCommand } from '../cli/mtls-command.ts';
import { withCluster } from '../cli/with-cluster.ts';
import { renderInitCluster } from '../render/init-cluster.ts';

export default class InitCluster extends MtlsCommand {
  static override summary = 'Lay a trust bundle in a cluster, and install Dapr on it.';
  static override description =
    `Makes the namespace, the Secret and the ConfigMap dapr-trust-bundle, marked so that Helm takes both over and
leaves their data alone, and then has the chart installed: by the official dapr where one is on the PATH, else by helm. Without
either it ends with exit code 7 and the command to type where helm is. So the root's key can be kept, own certificates are judged
first, and no private key stands in the Helm release.

Where a bundle, a Sentry or a release "dapr" is there already, nothing is written, and no flag says otherwise. A run that was
interrupted is finished by the same command: the bundle that it had laid is kept.`;
  static override examples = [
    { description: 'Dapr on a new root for a year', command: '<%= bin %> init -k' },
    {
      description: 'Keep the root key, encrypted: next year the root is renewed on its key',
      command: '<%= bin %> init -k --save-root-key root-ca.key --passphrase-file passphrase',
    },
    {
      description: 'Your own certificates, judged before they are written',
      command:
        '<%= bin %> init -k --ca-root-certificate ca.crt --issuer-public-certificate issuer.crt --issuer-private-key issuer.key',
    },
    {
      description: 'A chart at hand, in another context',
      command:
        '<%= bin %> init -k --context prod --helm-chart ./dapr-1.17.13.tgz --runtime-version 1.17.13 --enable-ha',
    },
    { description: 'The bundle alone; Argo CD brings the chart', command: '<%= bin %> init -k --trust-only' },
  ];
  static override exitCodes = [3, 4, 5, 6, 7];
  static override flags = initClusterFlags;

  override async run(): Promise<void> {
    const { flags } = await this.parse(InitCluster);
    for (const line of noteSelfHostedFlags(flags)) this.streams.note(`${line}\n`);
    const { env, home, streams } = this;
    const report = await withCluster(flags, env, (cluster) =>
      initializeCluster(cluster, { ...flags, set: flags.set ?? [] }, { env, home, streams, now: this.now() }),
    );
    await this.emit(report, flags.format, renderInitCluster);
  }
}
