import { MtlsCommand } from '../../cli/mtls-command.ts';
import { performRestart } from '../../cli/restart.ts';
import { readScope, restartFlags } from '../../cli/restart-input.ts';
import { withCluster } from '../../cli/with-cluster.ts';
import { renderRestart } from '../../render/restart.ts';

export default class Restart extends MtlsCommand {
  static override summary = 'Restart the control plane in its order, or the applications, waiting on each.';
  static override description =
    `Sentry first, then the injector and its webhook, operator, placement and scheduler: each is waited for as
\`kubectl rollout status\` does before the next one is begun. Nothing is restarted while Secret and ConfigMap differ, because a Sentry
that starts then replaces the bundle, nor while Sentry would refuse what they hold and not come back. A crash loop or a pod that finds no node is told with its reason.

With --apps the workloads whose pods have a sidecar, so that they take new trust anchors: a few at a time, stopping at the first that
does not come back or comes back without its sidecar. What does not roll by itself (bare pods, Jobs, Argo Rollouts) is named.`;
  static override examples = [
    { description: 'The control plane', command: '<%= bin %> restart -k' },
    {
      description: 'Which applications would be restarted?',
      command: '<%= bin %> restart -k --apps -A --dry-run',
    },
    { description: 'Those of one namespace', command: '<%= bin %> restart -k --apps -n shop' },
    {
      description: 'One of them, with more time',
      command: '<%= bin %> restart -k --apps -n shop --only deploy/checkout --timeout 900',
    },
  ];
  static override exitCodes = [3, 4, 5, 6, 7];
  static override flags = restartFlags;

  override async run(): Promise<void> {
    const { flags } = await this.parse(Restart);
    const { streams, env } = this;
    const report = await withCluster(flags, env, async (cluster) => {
      const scope = readScope(flags, cluster.location.namespace);
      return await performRestart(cluster, scope, flags, { streams, env, isQuiet: flags.quiet });
    });
    await this.emit(report, flags.format, renderRestart);
  }
}
