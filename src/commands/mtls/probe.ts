import * as Flags from '@oclif/core/flags';
import { clusterRemark } from '../../app/cluster-report.ts';
import { exitCodeOfProbe, judgeProbe } from '../../app/probe/probe.ts';
import { atFlag, clusterFlags, failOnFlag, sentryAddressFlag } from '../../cli/flags.ts';
import { MtlsCommand } from '../../cli/mtls-command.ts';
import { gatherProbe } from '../../cli/probe-input.ts';
import { withCluster } from '../../cli/with-cluster.ts';
import { renderProbe } from '../../render/probe.ts';

export default class Probe extends MtlsCommand {
  static override summary = 'Will the next pod get working trust?';
  static override description =
    `Has the API server make a pod that asks for a sidecar, without keeping it, and looks at the trust anchors that
the injector gave it: do they carry the issuer in use? Also whether the API server trusts the injector's webhook, whose failure means
pods silently without sidecars; whether Secret and ConfigMap are one bundle; and, by a fresh handshake, whether the running Sentry
shows a certificate that the new sidecar would take. Nothing is written.

The injector serves controllers and system:masters only. Another user needs the right to impersonate the service account
kube-system/replicaset-controller; what may not be asked is told as not checked.

From outside the cluster Sentry is reached by a port-forward and --sentry-address.`;
  static override examples = [
    { description: 'Will the next pod work?', command: '<%= bin %> probe -k' },
    {
      description: 'One of the shop, and Sentry through a port-forward',
      command: '<%= bin %> probe -k --in shop --sentry-address localhost:50001',
    },
    {
      description: 'In CI: only who would be cut off makes the exit code 10',
      command: '<%= bin %> probe -k --fail-on error',
    },
    {
      description: 'Every check that is not well',
      command: '<%= bin %> probe -k --format json | jq \'.checks[] | select(.state != "ok")\'',
    },
  ];
  static override exitCodes = [3, 5, 10];
  static override flags = {
    ...clusterFlags,
    in: Flags.string({
      description: 'The namespace in which the next pod would be made.',
      helpValue: 'NAMESPACE',
      default: 'default',
    }),
    ...sentryAddressFlag,
    ...atFlag,
    ...failOnFlag('warning'),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Probe);
    // Reading commands mean the cluster unless they are told otherwise, and only a cluster has pods.
    const report = await withCluster({ ...flags, kubernetes: true }, this.env, async (cluster) =>
      judgeProbe(await gatherProbe(cluster, flags, this.env), flags.at ?? this.now()),
    );
    await this.emit(report, flags.format, renderProbe);
    this.streams.note(`${clusterRemark(report.cluster)}\n`);
    if (report.mtlsEnabled === false)
      this.streams.note('Mutual TLS is disabled: sidecars do not use their certificates with each other\n');
    process.exitCode = exitCodeOfProbe(report, flags['fail-on']);
  }
}
