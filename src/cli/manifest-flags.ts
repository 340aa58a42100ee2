import * as Flags from '@oclif/core/flags';
import type { Labels } from '../app/manifest/object.ts';
import { DaprMtlsError } from '../errors.ts';
import { defaultNamespace } from '../kube/dapr/services.ts';

/** The names of objects: a label of the DNS. */
export const nameOf =
  (flag: string, longest = 63) =>
  async (text: string) => {
    if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text) && text.length <= longest) return text;
    throw new DaprMtlsError('usage.invalid', {
      message: `--${flag} ${text} is no name of a Kubernetes object`,
      hint: `Write lower-case letters, digits and dashes, ${longest} at most.`,
    });
  };

interface NamedFlag {
  readonly description: string;
  readonly helpGroup: string;
}

export const imageFlag = ({ description, helpGroup }: NamedFlag) =>
  Flags.custom<string>({
    description,
    helpValue: 'IMAGE',
    required: true,
    helpGroup,
    parse: async (text) => {
      if (/^[a-zA-Z0-9][\w.:/@-]*$/.test(text)) return text;
      throw new DaprMtlsError('usage.invalid', {
        message: `--image ${text} is not an image`,
        hint: 'Write it as registry.example/dapr-mtls:0.1.0@sha256:...',
      });
    },
  })();

export const namespaceFlag = ({ description, helpGroup }: NamedFlag) =>
  Flags.custom<string>({
    char: 'n',
    description,
    helpValue: 'NAMESPACE',
    default: defaultNamespace,
    helpGroup,
    parse: nameOf('namespace'),
  })();

/** @param longest how many letters leave room for what is put behind them */
export const nameFlag = (details: NamedFlag & { readonly default: string; readonly longest?: number }) =>
  Flags.custom<string>({
    description: details.description,
    helpValue: 'NAME',
    default: details.default,
    helpGroup: details.helpGroup,
    parse: nameOf('name', details.longest),
  })();

const part = '[a-zA-Z0-9](?:[a-zA-Z0-9_.-]{0,61}[a-zA-Z0-9])?';
const labelPattern = new RegExp(`^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?${part}=(?:${part})?$`);

/** May be said several times. */
export const labelFlag = ({ description, helpGroup, ...more }: NamedFlag & { readonly default?: string[] }) =>
  Flags.custom<string>({
    description,
    helpValue: 'KEY=VALUE',
    multiple: true,
    default: [],
    ...more,
    helpGroup,
    parse: async (text) => {
      if (labelPattern.test(text)) return text;
      throw new DaprMtlsError('usage.invalid', {
        message: `--label ${text} is not a label`,
        hint: 'Write it as release=prometheus: letters, digits, dots, dashes and underscores, 63 at most on either side.',
      });
    },
  })();

export function readLabels(labels: readonly string[]): Labels {
  return Object.fromEntries(labels.map((label) => label.split('=') as [string, string]));
}
