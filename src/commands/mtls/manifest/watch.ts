import { makeWatchManifest } from '../../../app/manifest/watch.ts';
import { manifestWatchFlags, readWatchManifestWish } from '../../../cli/manifest-watch-input.ts';
import { MtlsCommand } from '../../../cli/mtls-command.ts';
import { renderManifest } from '../../../render/manifest.ts';

export default class ManifestWatch extends MtlsCommand {
  static override summary = 'Print a watcher that runs inside the cluster, with the least rights for it.';
  static override description =
    `Objects for \`kubectl apply -f -\`: a ServiceAccount, a Role in the control plane's namespace, a ClusterRole that
reads pods, their bindings, a Deployment of \`dapr-mtls mtls watch -k\` and a Service for its figures. It runs as a user that is not root, on
a file system that it cannot write, and passes the Pod Security Standard "restricted". Nothing is asked of a cluster and nothing is written
there.

It needs no right on the Secret, which holds the CA's key: the anchors come from the ConfigMap, the issuer from Sentry's own TLS certificate.
--read-secret gives it that right, for this one Secret. The ClusterRole is for the sidecars, whose anchors stand in their pods; with
--no-sidecars there is none.

Figures are served on port 8080 under /metrics. With --service-monitor the operator of Prometheus finds them, and all replicas have one
name there; --scrape-annotations is for a Prometheus without it.`;
  static override examples = [
    {
      description: 'Have the cluster watched',
      command: '<%= bin %> manifest watch --image registry.example/dapr-mtls:0.1.0 > watch.yaml',
    },
    {
      description: "With a ServiceMonitor that kube-prometheus-stack's operator takes",
      command:
        '<%= bin %> manifest watch --image registry.example/dapr-mtls:0.1.0 --service-monitor --label release=kube-prometheus-stack',
    },
    {
      description: 'In a namespace alone, and with warnings from 60 days or a third of the lifetime on',
      command:
        '<%= bin %> manifest watch --image registry.example/dapr-mtls:0.1.0 --no-sidecars --replicas 1 --warn-at 60d,33%',
    },
    {
      description: 'See what it would be allowed',
      command: "<%= bin %> manifest watch --image registry.example/dapr-mtls:0.1.0 --format json | jq '.items[].rules'",
    },
  ];
  static override flags = manifestWatchFlags;

  override async run(): Promise<void> {
    const { flags } = await this.parse(ManifestWatch);
    this.streams.out(renderManifest(makeWatchManifest(readWatchManifestWish(flags)), flags.format));
  }
}
