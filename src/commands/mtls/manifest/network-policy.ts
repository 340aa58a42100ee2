import { makeNetworkPolicy } from '../../../app/manifest/network-policy.ts';
import { manifestPolicyFlags, readNetworkPolicyWish } from '../../../cli/manifest-policy-input.ts';
import { MtlsCommand } from '../../../cli/mtls-command.ts';
import { renderManifest } from '../../../render/manifest.ts';

export default class ManifestNetworkPolicy extends MtlsCommand {
  static override summary = 'Print what the watcher may reach, and who may reach it.';
  static override description =
    `A NetworkPolicy for the pods of \`manifest watch\` or \`manifest cronjob\`: out to DNS, to the API server, and to
Sentry's pods on port 50001; in, for the watcher, from --from-namespace to its figures. The kubelet's probes come from the pod's own node, which
Kubernetes never cuts off. Nothing is asked of a cluster and nothing is written there.

Once a policy names a pod, all that no policy allows is cut off. So a --sentry-address of your own, or an API server on another port, has
to be allowed by one of yours. Where nothing names these pods, no policy is needed.

--for sentry lets the pods of this program reach Sentry, and it is for control planes alone whose Sentry a policy guards already. Where none
does, applying it cuts off every sidecar from Sentry: none gets a certificate any more, and with the next end of theirs calls fail. Look
before: \`kubectl get networkpolicy -n dapr-system\`.`;
  static override examples = [
    {
      description: 'For the watcher, with a Prometheus in the namespace monitoring',
      command: '<%= bin %> manifest network-policy --from-namespace monitoring > policy.yaml',
    },
    {
      description: 'For the CronJobs, with one API server alone',
      command: '<%= bin %> manifest network-policy --for cronjob --api-server 10.96.0.1/32 --api-server 172.18.0.2/32',
    },
    {
      description: 'Where a policy guards Sentry: let the watcher reach it, too',
      command: '<%= bin %> manifest network-policy --for sentry',
    },
  ];
  static override flags = manifestPolicyFlags;

  override async run(): Promise<void> {
    const { flags } = await this.parse(ManifestNetworkPolicy);
    const { namespace, for: subject } = flags;
    this.streams.out(renderManifest(makeNetworkPolicy(readNetworkPolicyWish(flags)), flags.format));
    if (subject === 'sentry') {
      this.streams.warn(
        `Where no other policy names Sentry's pods, this one cuts off every sidecar from Sentry. Look before you apply it: \`kubectl get networkpolicy -n ${namespace}\`\n`,
      );
    }
  }
}
