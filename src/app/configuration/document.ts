import { type Document, isMap, isNode, isScalar, parseDocument, type Scalar } from 'yaml';
import { DaprMtlsError } from '../../errors.ts';
import { parseGoDuration } from './duration.ts';
import { collectSettings, type MtlsSettings } from './settings.ts';

interface Kind {
  /** What Sentry would make of a value; undefined where it would refuse it. */
  readonly read: (text: string) => string | boolean | undefined;
  /** How a value is written, for whoever has written another. */
  readonly form: string;
}

const duration: Kind = { read: durationOrUndefined, form: 'Durations are written as Go does: 24h, 1h30m, 25s.' };

/** The settings that `dapr-mtls config` knows. */
const kinds = {
  enabled: {
    read: (text) => (text === 'true' || text === 'false' ? text === 'true' : undefined),
    form: 'Write true or false.',
  },
  workloadCertTTL: duration,
  allowedClockSkew: duration,
  controlPlaneTrustDomain: {
    read: (text) => (/^[a-z0-9._-]{1,255}$/.test(text) ? text : undefined),
    form: 'Use lower-case letters, digits, dots, dashes and underscores (SPIFFE ID, section 2.1).',
  },
  sentryAddress: {
    read: addressOrUndefined,
    form: 'Write host:port, for example dapr-sentry.dapr-system.svc.cluster.local:443.',
  },
} as const satisfies Record<string, Kind>;

export type SettingName = keyof typeof kinds;
export const settingNames = Object.keys(kinds) as SettingName[];

function durationOrUndefined(text: string): string | undefined {
  const ms = parseGoDuration(text);
  return ms !== undefined && ms > 0 ? text : undefined;
}

/** What daprd dials: gRPC takes the host of its DNS resolver, too. Not each version of Dapr adds a port that is missing. */
function addressOrUndefined(text: string): string | undefined {
  const [, port] = /^(?:dns:\/\/\/)?(?:\[[0-9a-fA-F:.]+\]|[^\s:[\]/]+):(\d{1,5})$/.exec(text) ?? [];
  return Number(port) > 0 && Number(port) < 65_536 ? text : undefined;
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

/** @throws DaprMtlsError `file.io` for what is no YAML mapping, and where none can be for the settings to stand in */
export function parseConfiguration(text: string, path: string): Document {
  const document = parseDocument(text);
  const problem = findProblem(document);
  if (problem === undefined) return document;
  throw new DaprMtlsError('file.io', {
    message: `${path} is not a Configuration: ${problem}`,
    hint: 'Mend the YAML; `dapr-mtls config view` shows what is read of it.',
  });
}

function findProblem(document: Document): string | undefined {
  const [error] = document.errors;
  if (error) return error.message.split('\n')[0];
  if (document.contents !== null && !isMap(document.contents)) return 'it holds no mapping';
  const odd = homes.find((home) => {
    const node = document.getIn(home, true);
    return node !== undefined && !isMap(node) && !isEmpty(node);
  });
  return odd && `${odd.join('.')} is not a mapping of its own`;
}

/** Where the settings stand, from without. */
const homes = [['spec'], ['spec', 'mtls']] as const;

/** A name with nothing behind it, as `mtls:`. */
function isEmpty(node: unknown): node is Scalar<null> {
  return isScalar(node) && node.value === null;
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
  const kind = Object.hasOwn(kinds, name) ? kinds[name as SettingName] : undefined;
  if (!kind || rest.length === 0) {
    throw new DaprMtlsError('usage.invalid', {
      message: `"${text}" is not a setting`,
      hint: `Write NAME=VALUE, where NAME is one of ${settingNames.join(', ')}.`,
    });
  }
  const value = kind.read(rest.join('='));
  if (value !== undefined) return { name: name as SettingName, value };
  throw new DaprMtlsError('usage.invalid', {
    message: `"${rest.join('=')}" is not a value for ${name}`,
    hint: kind.form,
  });
}

export function holdsSettings(document: Document, settings: readonly Setting[]): boolean {
  return settings.every(({ name, value }) => document.getIn(['spec', 'mtls', name]) === value);
}

/** Changes the settings in place: comments, order and whatever else stands there are kept. */
export function applySettings(document: Document, settings: readonly Setting[]): string {
  for (const home of homes) {
    const node = document.getIn(home, true);
    if (!isEmpty(node)) continue;
    const mapping = document.createNode({});
    mapping.commentBefore = node.comment ?? null;
    document.setIn(home, mapping);
  }
  for (const { name, value } of settings) {
    const node = document.getIn(['spec', 'mtls', name], true);
    if (node && typeof node === 'object' && 'value' in node) node.value = value;
    else document.setIn(['spec', 'mtls', name], value);
  }
  return document.toString();
}
