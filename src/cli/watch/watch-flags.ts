import * as Flags from '@oclif/core/flags';
import { parseValidity } from '../../app/configuration/duration.ts';
import { parseThresholds, type Threshold } from '../../app/watch/thresholds.ts';
import { DaprMtlsError } from '../../errors.ts';
import { atFlag, outputFlags, sentryAddressFlag } from '../flags.ts';
import type { StoreFlags } from '../open-store.ts';
import { type ListenAddress, parseListenAddress } from './listen-address.ts';

const shortestEveryMs = 1000;
const longestEveryMs = 7 * 86_400_000;

/** What `dapr-mtls watch` may be told beside its store. */
export const watchFlags = {
  at: { ...atFlag.at, description: 'Set the clock of the watch to this instant (RFC 3339), from which it runs on.' },
  'warn-at': Flags.custom<readonly Threshold[]>({
    description:
      'From when on the end of a certificate is told each hour: so long before it (30d, 12h), or when so much of its lifetime is left (20%). Of several, separated by commas, the one that comes first (default 30d).',
    helpValue: 'TIME,SHARE',
    parse: async (text) => {
      const thresholds = parseThresholds(text);
      if (thresholds) return thresholds;
      throw new DaprMtlsError('usage.invalid', {
        message: `--warn-at ${text} is neither a length of time nor a share of the lifetime`,
        hint: 'Write days (30), a number with a unit (12h, 30d), a share (20%), or several with commas between: 30d,20%.',
      });
    },
  })(),
  every: Flags.custom<number>({
    description: 'How often all is looked at where nothing tells of a change (default 5m). Changes are seen at once.',
    helpValue: 'TIME',
    parse: async (text) => {
      const ms = /[a-z]$/.test(text) ? parseValidity(text) : undefined;
      if (ms !== undefined && ms >= shortestEveryMs && ms <= longestEveryMs) return ms;
      throw new DaprMtlsError('usage.invalid', {
        message: `--every ${text} is no length of time between a second and a week`,
        hint: 'Write a number with a unit: 30s, 5m, 1h.',
      });
    },
  })(),
  listen: Flags.custom<ListenAddress>({
    description: 'Serve /metrics, /healthz and /readyz there, over HTTP; without a host on every address.',
    helpValue: '[HOST:]PORT',
    parse: async (text) => parseListenAddress(text),
  })(),
  'on-change': Flags.string({
    description: 'A shell command that is run on every change, with the report as JSON on its standard input.',
    helpValue: 'COMMAND',
    helpGroup: 'COMMANDS OF YOURS',
    parse: async (text) => assertCommand('on-change', text),
  }),
  'on-warning': Flags.string({
    description: 'The same for warnings, which come back each hour.',
    helpValue: 'COMMAND',
    helpGroup: 'COMMANDS OF YOURS',
    parse: async (text) => assertCommand('on-warning', text),
  }),
  format: Flags.string({
    description: "How each line of the log is written: as text or as JSON, both in Sentry's own shape.",
    options: ['text', 'json'],
    default: 'text',
    helpGroup: 'OUTPUT',
  }),
  'log-as-json': Flags.boolean({
    description: "The same as --format json, by the name of Dapr's own services.",
    helpGroup: 'OUTPUT',
  }),
  quiet: Flags.boolean({
    ...outputFlags.quiet,
    description: 'Only warnings and errors; nothing of changes, of the beginning and the end.',
  }),
  events: Flags.boolean({
    description: "Post changes and warnings as Kubernetes Events on Sentry's Deployment.",
    helpGroup: 'CLUSTER',
  }),
  'leader-elect': Flags.boolean({
    description:
      'Of several replicas one tells, the holder of the Lease dapr-mtls-watch; the others look and serve figures.',
    helpGroup: 'CLUSTER',
  }),
  'read-secret': Flags.boolean({
    description:
      'Read the Secret, too: the issuer key is checked, and both objects are compared. Without it no request names Secrets.',
    helpGroup: 'CLUSTER',
  }),
  ...sentryAddressFlag,
  'no-sidecars': Flags.boolean({ description: 'Read no pods.', helpGroup: 'CLUSTER' }),
};

export interface WatchFlags extends StoreFlags {
  readonly at?: Date | undefined;
  readonly 'warn-at'?: readonly Threshold[] | undefined;
  readonly every?: number | undefined;
  readonly listen?: ListenAddress | undefined;
  readonly 'on-change'?: string | undefined;
  readonly 'on-warning'?: string | undefined;
  readonly format: string;
  readonly 'log-as-json': boolean;
  readonly quiet: boolean;
  readonly events: boolean;
  readonly 'leader-elect': boolean;
  readonly 'read-secret': boolean;
  readonly 'sentry-address'?: string | undefined;
  readonly 'no-sidecars': boolean;
}

/** These mean nothing in a directory. */
const ofClusters = ['events', 'leader-elect', 'read-secret', 'sentry-address', 'no-sidecars'] as const;

/** @throws DaprMtlsError `usage.invalid` */
export function assertNothingOfClusters(flags: WatchFlags): void {
  const told = ofClusters.find((name) => flags[name]);
  if (told === undefined) return;
  throw new DaprMtlsError('usage.invalid', {
    message: `--${told} concerns a cluster, and a directory is watched`,
    hint: 'Leave it out, or say -k for the cluster of your kubeconfig.',
  });
}

/** An empty one is a variable that was not set: nobody would ever be told. @throws DaprMtlsError `usage.invalid` */
function assertCommand(name: string, text: string): string {
  if (text.trim() !== '') return text;
  throw new DaprMtlsError('usage.invalid', {
    message: `--${name} is empty: there is no command to run`,
    hint: 'Name a command, or leave the flag out.',
  });
}
