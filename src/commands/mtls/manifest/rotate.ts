import { makeRotateManifest } from '../../../app/manifest/rotate.ts';
import { manifestRotateFlags, readRotateManifestWish } from '../../../cli/manifest-rotate-input.ts';
import { MtlsCommand } from '../../../cli/mtls-command.ts';
import { renderManifest } from '../../../render/manifest.ts';

export default class ManifestRotate extends MtlsCommand {
  static override summary = 'Print a Job that carries a rotation on inside the cluster, with the least rights for it.';
  static override description =
    `Objects for \`kubectl apply -f -\`: a ServiceAccount, a Role in the control plane's namespace, a ClusterRole, their
bindings and the Job, which runs \`dapr-mtls mtls rotate run -k --wait --resume\` as a user that is not root, on a file system that it cannot
write. Nothing is asked of a cluster and nothing is written there.

Begin the rotation from your own machine, where --save-root-key can keep the key of the new root, and let the Job go on with it: the
state lies in the cluster, and one of them works at a time. The Job never begins one, and does nothing where one has ended.

It may list all pods, which is the evidence. Without --restart-apps it restarts the control plane alone and waits until everybody else
has restarted the applications. Without --allow-probe nobody asks the injector what it gives to the next pod.`;
  static override examples = [
    {
      description: 'Go on with a rotation, restarts included',
      command:
        '<%= bin %> manifest rotate --image registry.example/dapr-mtls:0.1.0 --restart-apps --pace 30s > rotate.yaml',
    },
    {
      description: 'At night only, the applications left to their owners',
      command:
        '<%= bin %> manifest rotate --image registry.example/dapr-mtls:0.1.0 --window "daily 01:00-05:00 Europe/Berlin"',
    },
    {
      description: 'See what it would be allowed',
      command:
        "<%= bin %> manifest rotate --image registry.example/dapr-mtls:0.1.0 --format json | jq '.items[].rules'",
    },
  ];
  static override flags = manifestRotateFlags;

  override async run(): Promise<void> {
    const { flags } = await this.parse(ManifestRotate);
    this.streams.out(renderManifest(makeRotateManifest(readRotateManifestWish(flags)), flags.format));
  }
}
