import { DaprMtlsError } from '../../errors.ts';
import type { SideFile, TrustStore } from '../../store/port.ts';
import { applySettings, newConfiguration, parseConfiguration, readSettings, type Setting } from './document.ts';
import { type ConfigurationReport, describeConfiguration } from './report.ts';
import { defaultTrustDomain } from './settings.ts';

/**
 * The Configuration with the settings changed, comments and order kept; a new one where there is none.
 * @throws DaprMtlsError `usage.invalid` for unknown settings, and for a skew that would have daprd renew in a hot loop
 */
export function changeConfiguration(path: string, text: string | undefined, settings: readonly Setting[]): string {
  const document = parseConfiguration(
    text ?? newConfiguration({ enabled: true, trustDomain: defaultTrustDomain }),
    path,
  );
  const changed = applySettings(document, settings);
  const { workloadCertTtlMs, allowedClockSkewMs } = readSettings(parseConfiguration(changed, path));
  if (allowedClockSkewMs < workloadCertTtlMs) return changed;
  throw new DaprMtlsError('usage.invalid', {
    message: 'allowedClockSkew must be below workloadCertTTL: daprd would renew its certificate in a hot loop',
    hint: 'Set both: `dapr-mtls config set workloadCertTTL=24h allowedClockSkew=15m`.',
  });
}

/** Writes the file under the store's lock, so that it does not cross a renewal that reads it. */
export async function writeConfiguration(store: TrustStore, file: SideFile): Promise<ConfigurationReport> {
  const session = await store.openForChange('config set');
  try {
    await session.apply({ steps: [], sideFiles: [file] }, (await session.read()).revision);
    return describeConfiguration(file.path, file.content.toString('utf8'));
  } finally {
    await session.close();
  }
}
