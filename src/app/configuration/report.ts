import { type Document, document } from '../report.ts';
import { newConfiguration, parseConfiguration, settingNames } from './document.ts';
import { defaultTrustDomain } from './settings.ts';

export interface ConfigurationReport extends Document<'ConfigurationSettings'> {
  /** Absolute. */
  readonly path: string;
  readonly exists: boolean;
  readonly settings: readonly SettingReport[];
}

export interface SettingReport {
  readonly name: string;
  readonly value: string | boolean | null;
  readonly source: 'file' | 'default';
}

/** The settings as Sentry takes them: from the file, else its defaults. */
export function describeConfiguration(path: string, text: string | undefined): ConfigurationReport {
  const own = text === undefined ? undefined : parseConfiguration(text, path);
  const defaults = parseConfiguration(newConfiguration({ enabled: true, trustDomain: defaultTrustDomain }), path);
  const settings = settingNames.map((name): SettingReport => {
    const value = own?.getIn(['spec', 'mtls', name]);
    if (value !== undefined && value !== null) return { name, value: value as string | boolean, source: 'file' };
    return {
      name,
      value: (defaults.getIn(['spec', 'mtls', name]) as string | boolean | undefined) ?? null,
      source: 'default',
    };
  });
  return document('ConfigurationSettings', { path, exists: text !== undefined, settings });
}
