import {
  applySettings,
  holdsSettings,
  newConfiguration,
  parseConfiguration,
  readSettings,
  type Setting,
} from '../app/configuration/document.ts';
import { defaultSettings, defaultTrustDomain } from '../app/configuration/settings.ts';
import type { InitInput } from '../app/init.ts';
import type { Place } from '../store/directory/place.ts';
import type { SideFile } from '../store/port.ts';
import { planConfigurationFile, readConfiguration } from './configuration-file.ts';
import { randomness, readOwnBundle, readPassphrase, readRootKey, readRootKeyWish } from './key-files.ts';
import { type CertificateFlags, validityOf } from './renew-input.ts';

export interface InitFlags extends CertificateFlags {
  readonly force: boolean;
  readonly 'enable-mtls': boolean;
}

/** Reads every file that the flags name; nothing is written. */
export async function readInitInput(flags: InitFlags, place: Place, now: Date): Promise<InitInput> {
  const passphrase = readPassphrase(flags['passphrase-file']);
  const { path, text } = readConfiguration(place, flags.config);
  const settings = text === undefined ? defaultSettings : readSettings(parseConfiguration(text, path));
  const trustDomain = flags['trust-domain'] ?? settings.trustDomain ?? defaultTrustDomain;
  return {
    own: readOwnBundle(flags, passphrase),
    rootKey: readRootKey(flags, passphrase),
    saveRootKey: readRootKeyWish(flags, passphrase, place),
    trustDomain,
    now,
    ...validityOf(flags),
    allowedClockSkewMs: settings.allowedClockSkewMs,
    keyType: flags['key-type'],
    issuerPathLength: flags['issuer-path-length'],
    configuration: planConfiguration(path, text, { enabled: flags['enable-mtls'], trustDomain }),
    configurationPath: path,
    force: flags.force,
    backupPassphrase: passphrase,
    keepBackups: flags.keep,
    purpose: 'init',
    ...randomness,
  };
}

/** A new Configuration, or the present one with only `spec.mtls` edited; undefined when nothing changes. */
function planConfiguration(
  path: string,
  present: string | undefined,
  wanted: { enabled: boolean; trustDomain: string },
): SideFile | undefined {
  if (present === undefined) return planConfigurationFile(path, undefined, newConfiguration(wanted));
  const document = parseConfiguration(present, path);
  const settings: Setting[] = [
    { name: 'enabled', value: wanted.enabled },
    { name: 'controlPlaneTrustDomain', value: wanted.trustDomain },
  ];
  if (holdsSettings(document, settings)) return undefined;
  return planConfigurationFile(path, present, applySettings(document, settings));
}
