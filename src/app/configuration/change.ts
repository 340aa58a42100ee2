import { DaprMtlsError } from '../../errors.ts';
import type { SideFile, TrustStore } from '../../store/port.ts';
import {
  applySettings,
  holdsSettings,
  newConfiguration,
  parseConfiguration,
  readSettings,
  type Setting,
} from './document.ts';
import { formatGoDuration } from './duration.ts';
import { type ConfigurationReport, describeConfiguration } from './report.ts';
import { defaultTrustDomain, type MtlsSettings } from './settings.ts';

export interface ChangedConfiguration {
  readonly text: string;
  readonly settings: MtlsSettings;
  /** Whether anything is to be written: not where all of it stands there already. */
  readonly isChanged: boolean;
}

/**
 * The Configuration with the settings changed, comments and order kept; a new one where there is none.
 * @param wayToStore as in commands: ` -k`, ` --dir DIR`, or nothing
 * @throws DaprMtlsError `usage.invalid` for unknown settings, and for a skew that would have daprd renew in a hot loop
 */
export function changeConfiguration(
  path: string,
  text: string | undefined,
  settings: readonly Setting[],
  wayToStore: string,
): ChangedConfiguration {
  const document = parseConfiguration(
    text ?? newConfiguration({ enabled: true, trustDomain: defaultTrustDomain }),
    path,
  );
  const isChanged = text === undefined || !holdsSettings(document, settings);
  const changed = applySettings(document, settings);
  const result = readSettings(parseConfiguration(changed, path));
  const { workloadCertTtlMs, allowedClockSkewMs } = result;
  if (allowedClockSkewMs < workloadCertTtlMs) return { text: changed, settings: result, isChanged };
  const [ttl, skew] = [workloadCertTtlMs, allowedClockSkewMs].map(formatGoDuration);
  throw new DaprMtlsError('usage.invalid', {
    message: `allowedClockSkew (${skew}) must be below workloadCertTTL (${ttl}): daprd would renew its certificate in a hot loop`,
    hint: `Set both in one call: \`dapr-mtls config set ${suggestPair(settings, result)}${wayToStore}\`.`,
  });
}

/** The lifetime that was asked for with a skew that fits to it; else a lifetime for the skew that was. */
function suggestPair(asked: readonly Setting[], { workloadCertTtlMs, allowedClockSkewMs }: MtlsSettings): string {
  const isAsked = (name: Setting['name']) => asked.some((setting) => setting.name === name);
  const ttlMs = isAsked('workloadCertTTL') ? workloadCertTtlMs : allowedClockSkewMs * ttlToSkew;
  return `workloadCertTTL=${formatGoDuration(ttlMs)} allowedClockSkew=${formatGoDuration(Math.max(1000, ttlMs / ttlToSkew))}`;
}

/** As in the documentation's own example of 25 seconds, which takes a skew of 5. */
const ttlToSkew = 5;

/** Writes the file under the store's lock, so that it does not cross a renewal that reads it. */
export async function writeConfiguration(store: TrustStore, file: SideFile): Promise<ConfigurationReport> {
  const session = await store.openForChange('config set');
  try {
    await session.apply({ steps: [], sideFiles: [file] }, (await session.read()).revision);
    return describeConfiguration(file.path, file.content.toString('utf8'), '');
  } finally {
    await session.close();
  }
}
