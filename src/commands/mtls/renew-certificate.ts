import * as Flags from '@oclif/core/flags';
import {
  certificateFlags,
  changeFlags,
  clusterRenewFlags,
  configFlag,
  daprVersionFlag,
  durationFlag,
  keyFlags,
  storeFlags,
} from '../../cli/flags.ts';
import { MtlsCommand } from '../../cli/mtls-command.ts';
import { performRenewal } from '../../cli/perform-renewal.ts';
import { readRenewInput } from '../../cli/renew-input.ts';
import { openSite } from '../../cli/site.ts';
import { renderRenewal, renewalRemarks, startingRotation } from '../../render/renewal.ts';

export default class RenewCertificate extends MtlsCommand {
  static override summary = 'Renew the root and issuer certificates, without losing a call where that is possible.';
  static override description =
    `Without further flags a new root and issuer are made and bridged: the new root is cross-signed by the old
issuer, so that whoever holds only the old trust anchor and whoever holds only the new one both verify every call. Where no bridge holds
(a path length, an expired chain, an unproven Dapr version) the bundle is replaced whole, and who is cut off by that is said.

With --private-key, the key of the running root, the root is renewed on its key, name and identifier: peers restart in any order. With
another key, a new root is made from it. With three files of your own these are judged and written.

The old bundle is backed up first. No Sentry meets a half-written one: a directory goes from step to step, each of which Sentry accepts;
in a cluster the ConfigMap is away until both objects hold the same. A run that was interrupted is finished by the same command.

In a cluster sidecars take new anchors when their pods are re-created, for which a bridge leaves time (mtls audit shows who has
followed). Where a Helm release or somebody else would undo the change, nothing is written unless you say how to go on.`;
  static override examples = [
    { description: 'What would happen in the cluster?', command: '<%= bin %> renew-certificate -k --dry-run' },
    {
      description: 'Renew for a year, then restart the control plane in its order',
      command: '<%= bin %> renew-certificate -k --valid-until 365 --restart',
    },
    {
      description: 'Have Helm store it, where its release would undo it',
      command: '<%= bin %> renew-certificate -k --via-helm',
    },
    {
      description: 'Change nothing, and write what to commit',
      command: '<%= bin %> renew-certificate -k --output-manifest bundle.yaml --with-issuer-key',
    },
    {
      description: 'A directory, keeping the root key, encrypted',
      command: '<%= bin %> renew-certificate --dir certs --save-root-key next-root.key --passphrase-file passphrase',
    },
    {
      description: 'Renew with the key that was kept',
      command:
        '<%= bin %> renew-certificate --dir certs --private-key root.key --passphrase-file passphrase --valid-until 2y',
    },
    {
      description: 'From cron: only in the last 30 days',
      command: '<%= bin %> renew-certificate --dir certs --if-expires-within 30d',
    },
    {
      description: 'No Sentry is running, so do not wait for it',
      command: '<%= bin %> renew-certificate --dir certs --settle 0',
    },
  ];
  static override exitCodes = [3, 4, 5, 6, 7];
  static override flags = {
    ...keyFlags,
    ...certificateFlags,
    procedure: Flags.option({
      description: 'bridge: insist on it. replace: put a new root in place of the old one at once.',
      options: ['bridge', 'replace'] as const,
    })(),
    'if-expires-within': durationFlag('if-expires-within', {
      description: 'Renew only when root or issuer end within this time.',
    }),
    'dry-run': Flags.boolean({ description: 'Show what would change and who goes on trusting whom; write nothing.' }),
    ...daprVersionFlag,
    ...configFlag,
    ...changeFlags,
    ...clusterRenewFlags,
    ...storeFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(RenewCertificate);
    const site = await openSite(flags, this.env, this.streams);
    const input = await readRenewInput(flags, site, this.now());
    for (const remark of input.warnings) this.streams.warn(`${remark}\n`);
    const onStart = () => flags.format === 'text' && this.streams.out(startingRotation);
    const { env, streams, typed } = this;
    const report = await performRenewal(site, { ...input, onStart }, flags, { env, streams, typed });
    await this.emit(report, flags.format, renderRenewal);
    for (const remark of renewalRemarks(report)) this.streams.warn(`${remark}\n`);
  }
}
