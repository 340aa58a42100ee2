import * as Flags from '@oclif/core/flags';
import { DaprMtlsError } from '../errors.ts';
import { certificateFlags, clusterFlags, keyFlags } from './flags.ts';
import type { ClusterFlags } from './open-cluster.ts';
import type { CertificateFlags } from './renew-input.ts';

export interface InitClusterFlags extends Omit<CertificateFlags, 'config' | 'keep'>, ClusterFlags, ChartFlags {
  readonly kubernetes: boolean;
  readonly namespace: string | undefined;
  readonly 'trust-only': boolean;
}

/** What is passed on to whoever installs the chart. */
export interface ChartFlags {
  readonly 'helm-chart': string | undefined;
  readonly 'runtime-version': string | undefined;
  readonly 'dashboard-version': string | undefined;
  readonly 'enable-mtls': boolean;
  readonly 'enable-ha': boolean;
  readonly dev: boolean;
  readonly set: readonly string[];
  readonly 'image-registry': string | undefined;
  readonly 'image-variant': string | undefined;
  readonly wait: boolean;
  readonly timeout: number;
  readonly 'log-as-json': boolean;
}

const selfHostedOnly = (name: string) =>
  Flags.string({ description: `--${name} is for self-hosted Dapr.`, hidden: true });

/** The official CLI's own, and what it ignores with -k; and ours for the certificates. */
export const initClusterFlags = {
  ...clusterFlags,
  namespace: Flags.string({
    char: 'n',
    description: 'The namespace for the control plane; it is made where it is missing.',
    helpValue: 'NAMESPACE',
    helpGroup: 'CLUSTER',
    default: 'dapr-system',
  }),
  'trust-only': Flags.boolean({ description: 'Lay the bundle, and leave the chart to somebody else.' }),
  'helm-chart': Flags.string({
    description:
      "The chart for helm: a reference, an archive or a folder (default Dapr's own, from DAPR_HELM_REPO_URL where it is set). With it helm is used even where the official dapr is there.",
    helpValue: 'CHART',
    helpGroup: 'CHART',
  }),
  'runtime-version': Flags.string({
    description: 'The version of Dapr to install (default the latest).',
    helpValue: 'VERSION',
    helpGroup: 'CHART',
    env: 'DAPR_RUNTIME_VERSION',
  }),
  'enable-mtls': Flags.boolean({
    description: 'Whether sidecars speak mutual TLS.',
    helpGroup: 'CHART',
    default: true,
    allowNo: true,
  }),
  'enable-ha': Flags.boolean({ description: 'Three replicas of each service.', helpGroup: 'CHART', default: false }),
  dev: Flags.boolean({ description: 'Redis and Zipkin, too; only the official dapr can.', helpGroup: 'CHART' }),
  set: Flags.string({
    description: 'A value of the chart, key=value; may be repeated.',
    helpValue: 'KEY=VALUE',
    helpGroup: 'CHART',
    multiple: true,
    multipleNonGreedy: true,
  }),
  'image-registry': Flags.string({
    description: 'Where the images are pulled from.',
    helpValue: 'URL',
    helpGroup: 'CHART',
    env: 'DAPR_IMAGE_REGISTRY',
  }),
  'image-variant': Flags.string({
    description: 'The variant of the images: mariner.',
    helpValue: 'VARIANT',
    helpGroup: 'CHART',
  }),
  'dashboard-version': Flags.string({
    description: 'Of the dashboard, where the official dapr still installs one.',
    helpValue: 'VERSION',
    helpGroup: 'CHART',
  }),
  wait: Flags.boolean({ description: 'Wait until all pods are ready.', helpGroup: 'CHART' }),
  timeout: Flags.custom<number>({
    description: 'How long the installation of the chart may take, in seconds.',
    helpValue: 'SECONDS',
    helpGroup: 'CHART',
    default: 300,
    parse: async (text) => {
      const match = /^(\d+)s?$/.exec(text);
      if (match) return Number(match[1]);
      throw new DaprMtlsError('usage.invalid', {
        message: `--timeout ${text} is not a number of seconds`,
        hint: 'Write 300 or 300s.',
      });
    },
  })(),
  'log-as-json': Flags.boolean({ description: "The official dapr's own flag.", hidden: true }),
  slim: Flags.boolean({ char: 's', description: '--slim is for self-hosted Dapr.', hidden: true }),
  network: selfHostedOnly('network'),
  'from-dir': selfHostedOnly('from-dir'),
  'container-runtime': selfHostedOnly('container-runtime'),
  'scheduler-volume': selfHostedOnly('scheduler-volume'),
  'scheduler-override-broadcast-host-port': selfHostedOnly('scheduler-override-broadcast-host-port'),
  'redis-stack': Flags.boolean({ description: '--redis-stack is for self-hosted Dapr.', hidden: true }),
  'runtime-path': selfHostedOnly('runtime-path'),
  ...certificateFlags,
  ...keyFlags,
};

/** The official CLI takes these with -k, and does nothing about them. */
const ignored = [
  'slim',
  'network',
  'from-dir',
  'container-runtime',
  'scheduler-volume',
  'scheduler-override-broadcast-host-port',
] as const;
/** These it refuses. */
const refused = ['redis-stack', 'runtime-path'] as const;

type SelfHostedFlags = Readonly<Partial<Record<(typeof ignored)[number] | (typeof refused)[number], unknown>>>;

/**
 * One line for each flag that means nothing in a cluster.
 * @throws DaprMtlsError `usage.invalid` in the official CLI's words, where it refuses them, too
 */
export function noteSelfHostedFlags(flags: SelfHostedFlags): string[] {
  const isGiven = (name: keyof SelfHostedFlags) => flags[name] !== undefined && flags[name] !== false;
  const wrong = refused.find(isGiven);
  if (wrong) {
    throw new DaprMtlsError('usage.invalid', {
      message: `--${wrong} is only valid for self-hosted mode`,
      hint: `Leave --${wrong} out.`,
    });
  }
  return ignored.filter(isGiven).map((name) => `--${name} is for self-hosted Dapr and has no effect in a cluster`);
}
