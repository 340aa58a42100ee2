import * as Flags from '@oclif/core/flags';
import { parseValidity } from '../app/configuration/duration.ts';
import { DaprMtlsError } from '../errors.ts';
import { keyTypes } from '../pki/keys.ts';
import { type DaprVersion, parseDaprVersion } from '../pki/rules/context.ts';
import { parseSentryAddress } from './sentry-address.ts';

const validity = (name: string) => async (text: string) => {
  const ms = parseValidity(text);
  if (ms !== undefined) return ms;
  throw new DaprMtlsError('usage.invalid', {
    message: `--${name} ${text} is not a length of time`,
    hint: 'Write days (365), or a number with a unit: 12h, 90d, 52w, 10y.',
  });
};

/** A length of time in milliseconds: `365` (days), `12h`, `90d`, `10y`. */
export const durationFlag = (name: string, details: { description: string; default?: number; helpGroup?: string }) =>
  Flags.custom<number>({ parse: validity(name), helpValue: 'TIME', ...details })();

export const outputFlags = {
  format: Flags.string({
    description: 'How the result is written to standard output.',
    options: ['text', 'json', 'yaml'],
    default: 'text',
    helpGroup: 'OUTPUT',
  }),
  quiet: Flags.boolean({
    char: 'q',
    description: 'Only the result, warnings and errors; no progress and no remarks.',
    helpGroup: 'OUTPUT',
  }),
};

/** The official CLI takes these with every command; they are said to change nothing, instead of being refused. */
export const officialFlags = {
  'log-as-json': Flags.boolean({ description: "The official dapr's own flag.", hidden: true }),
  'runtime-path': Flags.string({ description: "The official dapr's own flag.", hidden: true }),
};

/** The way into a cluster, as kubectl has it. */
export const clusterFlags = {
  kubernetes: Flags.boolean({
    char: 'k',
    description: 'The Kubernetes cluster of your kubeconfig.',
    helpGroup: 'CLUSTER',
  }),
  namespace: Flags.string({
    char: 'n',
    description: "The control plane's namespace (default dapr-system, else the one in which Sentry is found).",
    helpValue: 'NAMESPACE',
    helpGroup: 'CLUSTER',
  }),
  context: Flags.string({
    description: 'The context of the kubeconfig (default its current one).',
    helpValue: 'NAME',
    helpGroup: 'CLUSTER',
  }),
  kubeconfig: Flags.string({
    description: 'The kubeconfig (default KUBECONFIG, ~/.kube/config, then the credentials inside a pod).',
    helpValue: 'FILE',
    helpGroup: 'CLUSTER',
  }),
  'request-timeout': Flags.custom<number>({
    description: 'How long one request to the API server may take, in seconds.',
    helpValue: 'SECONDS',
    default: 15,
    helpGroup: 'CLUSTER',
    parse: async (text) => {
      const match = /^(\d+(?:\.\d+)?)s?$/.exec(text);
      if (match && Number(match[1]) > 0 && Number(match[1]) <= 3600) return Number(match[1]);
      throw new DaprMtlsError('usage.invalid', {
        message: `--request-timeout ${text} is not a number of seconds`,
        hint: 'Write 15 or 15s.',
      });
    },
  })(),
};

/** For commands that ask Sentry for its own certificate; a wrong one is refused also where nobody is asked. */
export const sentryAddressFlag = {
  'sentry-address': Flags.custom<string>({
    description: 'Where Sentry is reached from here (default its name in the cluster); the port is 50001 unless told.',
    helpValue: 'HOST:PORT',
    helpGroup: 'CLUSTER',
    parse: async (text) => {
      parseSentryAddress(text);
      return text;
    },
  })(),
};

/** The directory of a self-hosted Dapr. */
export const directoryFlags = {
  dir: Flags.string({
    description: 'The directory of the bundle. The environment variable DAPR_MTLS_DIR names it too.',
    helpValue: 'DIR',
    helpGroup: 'TRUST STORE',
  }),
  'issuer-ca-filename': Flags.string({
    description: "The name of the anchors' file, as Sentry has it.",
    default: 'ca.crt',
    helpGroup: 'TRUST STORE',
  }),
  'issuer-certificate-filename': Flags.string({
    description: "The name of the issuer chain's file.",
    default: 'issuer.crt',
    helpGroup: 'TRUST STORE',
  }),
  'issuer-key-filename': Flags.string({
    description: "The name of the issuer key's file.",
    default: 'issuer.key',
    helpGroup: 'TRUST STORE',
  }),
};

export const storeFlags = { ...clusterFlags, ...directoryFlags };

export const atFlag = {
  at: Flags.custom<Date>({
    description: 'Judge as of this instant (RFC 3339) instead of now.',
    helpValue: 'INSTANT',
    parse: async (text) => {
      const date = new Date(text);
      const isInstant = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/.test(text);
      if (isInstant && !Number.isNaN(date.getTime())) return date;
      throw new DaprMtlsError('usage.invalid', {
        message: `--at ${text} is not an instant`,
        hint: 'Write it as 2027-11-22T00:55:20Z, or as a date.',
      });
    },
  })(),
};

export const failOnFlag = (fallback: 'never' | 'warning' | 'error') => ({
  'fail-on': Flags.option({
    description: 'The lightest finding that makes the exit code 10.',
    options: ['never', 'warning', 'error'] as const,
    default: fallback,
  })(),
});

export const warnBeforeFlag = {
  'warn-before': durationFlag('warn-before', {
    description: 'Certificates that end within this time are worth a warning (default 30d).',
  }),
};

export const changeFlags = {
  settle: Flags.custom<number>({
    description:
      'How long a directory has to rest before each step, so that no Sentry is met in the middle of a reload: 0 when no Sentry runs. In a cluster only how long both objects are watched after a change; what keeps a Sentry from making a new root there is no matter of flags. The environment variable DAPR_MTLS_SETTLE sets it, too.',
    helpValue: 'SECONDS',
    env: 'DAPR_MTLS_SETTLE',
    default: 10,
    helpGroup: 'SAFETY',
    parse: async (text) => {
      const match = /^(\d+(?:\.\d+)?)s?$/.exec(text);
      if (match && Number(match[1]) <= 3600) return Number(match[1]);
      throw new DaprMtlsError('usage.invalid', {
        message: `--settle ${text} is not a number of seconds`,
        hint: 'Write 10 or 10s.',
      });
    },
  })(),
  keep: Flags.integer({
    description: 'How many backups are kept; older ones are removed.',
    min: 1,
    default: 5,
    helpGroup: 'SAFETY',
  }),
};

export const passphraseFlag = {
  'passphrase-file': Flags.string({
    description:
      'A file whose first line is the passphrase: opens an encrypted key that is given, and encrypts the root key and the key in the backup.',
    helpValue: 'FILE',
    helpGroup: 'KEYS',
  }),
};

export const configFlag = {
  config: Flags.string({
    description:
      'The Configuration of Sentry and daprd, of a directory (default config.yaml in the work directory beside it).',
    helpValue: 'FILE',
  }),
};

export const daprVersionFlag = {
  'dapr-version': Flags.custom<DaprVersion>({
    description: 'The version of Dapr that uses the bundle, where its rules differ.',
    helpValue: 'VERSION',
    parse: async (text) => {
      const version = parseDaprVersion(text);
      if (version) return version;
      throw new DaprMtlsError('usage.invalid', {
        message: `--dapr-version ${text} is not a version`,
        hint: 'Write it as 1.17 or 1.17.13.',
      });
    },
  })(),
};

export const certificateFlags = {
  'trust-domain': Flags.custom<string>({
    description: 'The trust domain of the control plane; it stands in the names of the certificates.',
    helpValue: 'DOMAIN',
    helpGroup: 'CERTIFICATES',
    parse: async (text) => {
      if (/^[a-z0-9._-]{1,255}$/.test(text)) return text;
      throw new DaprMtlsError('usage.invalid', {
        message: `--trust-domain ${text} is not a trust domain`,
        hint: 'Use lower-case letters, digits, dots, dashes and underscores (SPIFFE ID, section 2.1).',
      });
    },
  })(),
  'valid-until': durationFlag('valid-until', {
    description: 'How long the certificates are valid, in days or as 12h, 90d, 10y: root and issuer (default 365).',
    helpGroup: 'CERTIFICATES',
  }),
  'root-valid-until': durationFlag('root-valid-until', {
    description: 'How long the root is valid, where it shall outlive the issuer.',
    helpGroup: 'CERTIFICATES',
  }),
  'issuer-path-length': Flags.integer({
    description:
      'A path length for the issuer. Leave it out: a bridge, the way to a new root without a lost call, needs at least 2.',
    min: 0,
    max: 100,
    helpGroup: 'CERTIFICATES',
  }),
  'key-type': Flags.option({
    description: 'The type of new keys. p256 is taken by every version of Dapr.',
    options: keyTypes,
    default: 'p256' as const,
    helpGroup: 'CERTIFICATES',
  })(),
};

export const keyFlags = {
  'private-key': Flags.string({
    description:
      'The root key to sign with. With the key of the running root, old and new certificates verify each other.',
    helpValue: 'FILE',
    helpGroup: 'KEYS',
  }),
  'ca-root-certificate': Flags.string({
    description: 'Your own root certificate; needs the two flags below.',
    helpValue: 'FILE',
    helpGroup: 'KEYS',
  }),
  'issuer-private-key': Flags.string({
    description: "Your own issuer's private key.",
    helpValue: 'FILE',
    helpGroup: 'KEYS',
  }),
  'issuer-public-certificate': Flags.string({
    description: "Your own issuer's certificate, with its chain.",
    helpValue: 'FILE',
    helpGroup: 'KEYS',
  }),
  'save-root-key': Flags.string({
    description: 'Where the key of the new root is kept. Without it the key is gone for good.',
    helpValue: 'FILE',
    helpGroup: 'KEYS',
  }),
  'insecure-plaintext-key': Flags.boolean({
    description: 'Write the root key in clear where no --passphrase-file is given.',
    helpGroup: 'KEYS',
  }),
  ...passphraseFlag,
};

export const ignoreOwnerFlag = {
  'ignore-owner': Flags.string({
    description: 'Go on although this owner will undo the change: helm, argocd, flux, cert-manager, external-secrets.',
    helpValue: 'OWNER',
    multiple: true,
    default: [],
    helpGroup: 'OTHER OWNERS',
  }),
};

export const handOutFlags = {
  'output-helm-values': Flags.string({
    description: 'Write the new bundle as values of the chart to commit, instead of into the cluster.',
    helpValue: 'FILE',
    helpGroup: 'OTHER OWNERS',
  }),
  'output-manifest': Flags.string({
    description: 'Write Secret and ConfigMap to commit, instead of into the cluster.',
    helpValue: 'FILE',
    helpGroup: 'OTHER OWNERS',
  }),
  'with-issuer-key': Flags.boolean({
    description: 'Put the issuer KEY into what is written to commit.',
    helpGroup: 'OTHER OWNERS',
  }),
};

/** What a renewal in a cluster may be told; the first three are upstream's. */
export const clusterRenewFlags = {
  restart: Flags.boolean({
    description: 'Restart the control plane afterwards, each service in its order and waited for.',
    helpGroup: 'CLUSTER',
  }),
  timeout: Flags.integer({
    description: 'How long that restart may take, in seconds.',
    min: 1,
    default: 300,
    helpGroup: 'CLUSTER',
  }),
  'image-variant': Flags.string({
    description: 'Has to be the variant that runs (mariner); it changes nothing else.',
    helpGroup: 'CLUSTER',
  }),
  yes: Flags.boolean({
    char: 'y',
    description: 'Go on without a question where sidecars are cut off; only a terminal is asked.',
    helpGroup: 'CLUSTER',
  }),
  ...ignoreOwnerFlag,
  'via-helm': Flags.boolean({
    description: 'Write the bundle, then have helm store it in the release that would undo it.',
    helpGroup: 'OTHER OWNERS',
  }),
  'helm-chart': Flags.string({
    description: "The release's chart for --via-helm: a reference, an archive or a folder (default Dapr's own).",
    helpValue: 'CHART',
    helpGroup: 'OTHER OWNERS',
  }),
  ...handOutFlags,
};
