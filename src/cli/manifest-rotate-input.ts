import * as Flags from '@oclif/core/flags';
import type { RotateManifestWish } from '../app/manifest/rotate.ts';
import { parseWindow } from '../app/rotate/window.ts';
import { imageFlag, nameFlag, nameOf, namespaceFlag } from './manifest-flags.ts';
import { advanceFlags, planFlags } from './rotate-flags.ts';

const jobGroup = 'JOB';

export const manifestRotateFlags = {
  image: imageFlag({
    description:
      'An image that has dapr-mtls on its PATH. Name it by its digest: the Job may change the root of trust.',
    helpGroup: jobGroup,
  }),
  namespace: namespaceFlag({ description: "The control plane's namespace.", helpGroup: jobGroup }),
  name: nameFlag({ description: 'The name of the objects.', default: 'dapr-mtls-rotate', helpGroup: jobGroup }),
  'restart-apps': Flags.boolean({
    description: 'Have it restart the applications, too: takes the right to patch workloads in every namespace.',
    helpGroup: jobGroup,
  }),
  'allow-probe': Flags.boolean({
    description:
      'Let it ask what the injector gives to the next pod, as the controller that makes pods: takes the right to impersonate that.',
    helpGroup: jobGroup,
  }),
  'passphrase-secret': Flags.custom<string>({
    description: "The Secret that holds the passphrase of the rotation's keys, under the key passphrase.",
    helpValue: 'NAME',
    helpGroup: jobGroup,
    parse: nameOf('passphrase-secret'),
  })(),
  drain: planFlags.drain,
  'skip-workload': planFlags['skip-workload'],
  until: advanceFlags.until,
  window: advanceFlags.window,
  'max-parallel': Flags.integer({
    description: 'How many workloads are restarted at a time (default 3).',
    min: 1,
    max: 8,
    helpGroup: 'RESTARTS',
  }),
  pace: advanceFlags.pace,
  timeout: advanceFlags.timeout,
  'ignore-owner': advanceFlags['ignore-owner'],
};

export interface ManifestRotateFlags {
  readonly image: string;
  readonly namespace: string;
  readonly name: string;
  readonly 'restart-apps': boolean;
  readonly 'allow-probe': boolean;
  readonly 'passphrase-secret': string | undefined;
  readonly drain: string | undefined;
  readonly 'skip-workload': readonly string[];
  readonly until: string | undefined;
  readonly window: string | undefined;
  readonly 'max-parallel': number | undefined;
  /** Milliseconds. */
  readonly pace: number;
  readonly timeout: number | undefined;
  readonly 'ignore-owner': readonly string[];
}

/** @throws DaprMtlsError `usage.invalid` for a window that the Job could not read */
export function readRotateManifestWish(flags: ManifestRotateFlags): RotateManifestWish {
  if (flags.window !== undefined) parseWindow(flags.window);
  return {
    image: flags.image,
    namespace: flags.namespace,
    name: flags.name,
    words: wordsOf(flags),
    restartsApplications: flags['restart-apps'],
    mayProbe: flags['allow-probe'],
    passphraseSecret: flags['passphrase-secret'],
  };
}

function wordsOf(flags: ManifestRotateFlags): string[] {
  const word = (name: string, value: string | number | undefined) =>
    value === undefined ? [] : [`--${name}`, String(value)];
  return [
    ...word('drain', flags.drain),
    ...flags['skip-workload'].flatMap((workload) => word('skip-workload', workload)),
    ...word('until', flags.until),
    ...word('window', flags.window),
    ...word('max-parallel', flags['max-parallel']),
    ...word('pace', flags.pace > 0 ? `${flags.pace / 1000}s` : undefined),
    ...word('timeout', flags.timeout),
    ...flags['ignore-owner'].flatMap((owner) => word('ignore-owner', owner)),
  ];
}
