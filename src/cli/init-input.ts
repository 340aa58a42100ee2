import {
  applySettings,
  newConfiguration,
  parseConfiguration,
  readSettings,
  type Setting,
} from '../app/configuration/document.ts';
import { defaultSettings, defaultTrustDomain } from '../app/configuration/settings.ts';
import type { InitInput } from '../app/init.ts';
import { readIfExists } from '../store/directory/durable.ts';
import type { Place } from '../store/directory/place.ts';
import type { SideFile } from '../store/port.ts';
import { configurationPath } from './configuration-file.ts';
import { randomness, readOwnBundle, readPassphrase, readRootKey, readRootKeyWish } from './key-files.ts';
import { type CertificateFlags, validityOf } from './renew-input.ts';

export interface InitFlags extends CertificateFlags {
  readonly force: boolean;
  readonly 'enable-mtls': boolean;
}

/** Reads every file that the flags name; nothing is written. */
export async function readInitInput(flags: InitFlags, place: Place, now: Date): Promise<InitInput> {
  const passphrase = readPassphrase(flags['passphrase-file']);
  const path = configurationPath(place, flags.config);
  const present = readIfExists(path);
  const settings = present ? readSettings(parseConfiguration(present.toString('utf8'), path)) : defaultSettings;
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
    configuration: planConfiguration(path, present, { enabled: flags['enable-mtls'], trustDomain }),
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
  present: Buffer | undefined,
  wanted: { enabled: boolean; trustDomain: string },
): SideFile | undefined {
  const mode = 0o644;
  if (!present) return { path, content: Buffer.from(newConfiguration(wanted)), mode, replaces: undefined };
  const document = parseConfiguration(present.toString('utf8'), path);
  const settings: Setting[] = [
    { name: 'enabled', value: wanted.enabled },
    { name: 'controlPlaneTrustDomain', value: wanted.trustDomain },
  ];
  const isAsWanted = settings.every(({ name, value }) => document.getIn(['spec', 'mtls', name]) === value);
  if (isAsWanted) return undefined;
  return { path, content: Buffer.from(applySettings(document, settings)), mode, replaces: present };
}
