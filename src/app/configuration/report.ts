import type { Finding } from '../../pki/rules/finding.ts';
import { type Document, document } from '../report.ts';
import { newConfiguration, parseConfiguration, readSettings, settingNames } from './document.ts';
import { defaultSettings, defaultTrustDomain } from './settings.ts';
import { judgeTokenValidators } from './validators.ts';

export interface ConfigurationReport extends Document<'ConfigurationSettings'> {
  /** Absolute. */
  readonly path: string;
  readonly exists: boolean;
  readonly settings: readonly SettingReport[];
  readonly tokenValidators: readonly { readonly name: string; readonly source: string | null }[];
  /** What Sentry makes of the validators; `check` judges all else. */
  readonly findings: readonly Finding[];
}

export interface SettingReport {
  readonly name: string;
  readonly value: string | boolean | null;
  readonly source: 'file' | 'default';
}

/**
 * The settings as Sentry takes them: from the file, else its defaults.
 * @param wayToStore as in commands: ` -k`, or nothing
 */
export function describeConfiguration(path: string, text: string | undefined, wayToStore: string): ConfigurationReport {
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
  const { tokenValidators } = own ? readSettings(own) : defaultSettings;
  return document('ConfigurationSettings', {
    path,
    exists: text !== undefined,
    settings,
    tokenValidators: tokenValidators.map(({ name, source }) => ({ name, source: source ?? null })),
    findings: judgeTokenValidators(tokenValidators, wayToStore),
  });
}
