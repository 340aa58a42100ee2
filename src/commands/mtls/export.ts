import * as Flags from '@oclif/core/flags';
import { glanceAtStore } from '../../app/banner.ts';
import { exportStore } from '../../cli/export-bundle.ts';
import { storeFlags } from '../../cli/flags.ts';
import { MtlsCommand } from '../../cli/mtls-command.ts';
import { openReader } from '../../cli/open-store.ts';
import { renderBanner } from '../../render/banner.ts';
import { renderExport } from '../../render/export.ts';

export default class Export extends MtlsCommand {
  static override summary = 'Copy the root certificate, the issuer chain and the issuer key into a folder.';
  static override description =
    `Writes ca.crt, issuer.crt and issuer.key with mode 0600. Where the same files are there already, that is a
success. Where another bundle is there, it is moved into a folder that ends in .bak first: the files of two bundles never stand side by
side under these names.

The issuer key signs for every service. Treat the folder as the secret it is.`;
  static override examples = [
    { description: 'The bundle of the cluster', command: '<%= bin %> export -k --out copy' },
    { description: 'Into a folder', command: '<%= bin %> export --dir certs --out copy' },
    { description: 'For a machine', command: '<%= bin %> export --dir certs --out copy --format json' },
  ];
  static override exitCodes = [3, 5];
  static override flags = {
    out: Flags.string({
      char: 'o',
      description: 'The folder to write to; it is made where it is missing.',
      helpValue: 'DIR',
      default: '.',
    }),
    ...storeFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Export);
    const store = await openReader(flags, this.env);
    const report = await exportStore(store, flags.out, this.now());
    await this.emit(report, flags.format, renderExport);
    if (report.replaced) this.streams.note(`Another bundle was there; it is kept in ${report.replaced}\n`);
    this.streams.note(`Trust store: ${report.store.kind} ${report.store.name}\n`);
    if (report.store.kind === 'cluster') this.streams.warn(renderBanner(await glanceAtStore(store, this.now())));
  }
}
