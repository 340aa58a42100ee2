import { type Document, isMap, isNode, parseDocument } from 'yaml';
import { DaprMtlsError } from '../../errors.ts';
import { parseGoDuration } from './duration.ts';
import { collectSettings, type MtlsSettings } from './settings.ts';

/** The settings that `dapr-mtls config` knows, each with what Sentry would make of a value. */
const readers = {
  enabled: (text: string) => (text === 'true' || text === 'false' ? text === 'true' : undefined),
  workloadCertTTL: durationOrUndefined,
  allowedClockSkew: durationOrUndefined,
  controlPlaneTrustDomain: (text: string) => (/^[a-z0-9._-]+$/.test(text) ? text : undefined),
  sentryAddress: (text: string) => (text === '' ? undefined : text),
} as const satisfies Record<string, (text: string) => string | boolean | undefined>;

export type SettingName = keyof typeof readers;
export const settingNames = Object.keys(readers) as SettingName[];

function durationOrUndefined(text: string): string | undefined {
  const ms = parseGoDuration(text);
  return ms !== undefined && ms > 0 ? text : undefined;
}

/** A Configuration as Dapr's documentation has it, good for `sentry --config` and `daprd --config`. */
export function newConfiguration(settings: { enabled: boolean; trustDomain: string }): string {
  return `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: daprsystem
  namespace: default
spec:
  mtls:
    enabled: ${settings.enabled}
    workloadCertTTL: "24h"
    allowedClockSkew: "15m"
    controlPlaneTrustDomain: "${settings.trustDomain}"
`;
}

/** @throws DaprMtlsError `file.io` for what is no YAML mapping */
export function parseConfiguration(text: string, path: string): Document {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (!error && (document.contents === null || isMap(document.contents))) return document;
  throw new DaprMtlsError('file.io', {
    message: `${path} is not a Configuration: ${error ? error.message.split('\n')[0] : 'it holds no mapping'}`,
    hint: 'Mend the YAML; `dapr-mtls config view` shows what is read of it.',
  });
}

export function readSettings(document: Document): MtlsSettings {
  return collectSettings((name) => {
    const value = document.getIn(['spec', 'mtls', name], true);
    return isNode(value) ? value.toJS(document) : undefined;
  });
}

export interface Setting {
  readonly name: SettingName;
  readonly value: string | boolean;
}

/** A rotation under way reckons with the life of certificates, and has made its own for the trust domain. */
export function isReckonedWith({ name }: Pick<Setting, 'name'>): boolean {
  return name === 'workloadCertTTL' || name === 'allowedClockSkew' || name === 'controlPlaneTrustDomain';
}

/** @throws DaprMtlsError `usage.invalid` */
export function parseSetting(text: string): Setting {
  const [name = '', ...rest] = text.split('=');
  const reader = readers[name as SettingName];
  if (!reader || rest.length === 0) {
    throw new DaprMtlsError('usage.invalid', {
      message: `"${text}" is not a setting`,
      hint: `Write NAME=VALUE, where NAME is one of ${settingNames.join(', ')}.`,
    });
  }
  const value = reader(rest.join('='));
  if (value !== undefined) return { name: name as SettingName, value };
  throw new DaprMtlsError('usage.invalid', {
    message: `"${rest.join('=')}" is not a value for ${name}`,
    hint: 'Durations are written as Go does: 24h, 1h30m, 25s. `enabled` is true or false.',
  });
}

/** Changes the settings in place: comments, order and whatever else stands there are kept. */
export function applySettings(document: Document, settings: readonly Setting[]): string {
  for (const { name, value } of settings) {
    const node = document.getIn(['spec', 'mtls', name], true);
    if (node && typeof node === 'object' && 'value' in node) node.value = value;
    else document.setIn(['spec', 'mtls', name], value);
  }
  return document.toString();
}
