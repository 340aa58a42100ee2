import { DaprMtlsError } from '../../errors.ts';
import type { OwnerVerdict } from './verdict.ts';

/**
 * Who brings a copy back has nothing new that Helm could store or that could be committed. A rotation
 * writes several bundles one after the other: each can be handed out, and none is stored by this program.
 */
export type OfferedWays = 'all' | 'handing-out' | 'ignoring';

/**
 * Why the change must not be made, with every way out as a command to type.
 * @param ignored the owners named by `--ignore-owner`
 * @param command the command line as it was typed
 * @returns undefined where nobody would undo the change, or only who is ignored
 */
export function whyOwned(
  verdicts: readonly OwnerVerdict[],
  ignored: readonly string[],
  command: string,
  offered: OfferedWays,
): DaprMtlsError | undefined {
  const isIgnored = ({ owner }: OwnerVerdict) => ignored.some((name) => name.toLowerCase() === owner);
  const stopping = verdicts.filter((verdict) => verdict.stops && !isIgnored(verdict));
  if (stopping.length === 0) return undefined;
  return new DaprMtlsError('store.owned', {
    message: `this change would be undone: ${stopping.map(({ message }) => message).join('; ')}`,
    hint: [
      offered === 'ignoring'
        ? 'Nothing was written. Bring the bundle to where it is taken from, or:'
        : 'Nothing was written. Choose one:',
      ...listWays(stopping, command, offered),
    ].join('\n'),
  });
}

function listWays(stopping: readonly OwnerVerdict[], command: string, offered: OfferedWays): string[] {
  const has = (source: OwnerVerdict['source']) => stopping.some((verdict) => verdict.source === source);
  const owners = [...new Set(stopping.map(({ owner }) => owner))];
  const isHelmAlone = stopping.every(({ source }) => source === 'helm-release');
  const ignoring = owners.map((owner) => `--ignore-owner ${owner}`).join(' ');
  if (offered === 'ignoring') {
    return [
      `  ${command} ${ignoring}`,
      '      goes on, knowing that it will be undone; `dapr-mtls check -k` then tells how to keep it',
    ];
  }
  const ways: [boolean, string, string][] = [
    [
      isHelmAlone && offered === 'all',
      '--via-helm',
      'writes the bundle, then has helm store it in the release, so that upgrades keep it',
    ],
    [
      has('helm-release') || has('helm-values'),
      '--output-helm-values values.yaml --with-issuer-key',
      offered === 'all'
        ? 'writes the values to commit, and leaves the cluster alone'
        : 'writes the values of each step to commit, and waits until they are applied',
    ],
    [
      has('manifest'),
      '--output-manifest trust-bundle.yaml --with-issuer-key',
      offered === 'all'
        ? 'writes Secret and ConfigMap to commit, and leaves the cluster alone'
        : 'writes Secret and ConfigMap of each step to commit, and waits until they are applied',
    ],
    [true, ignoring, 'goes on, knowing that it will be undone'],
  ];
  return ways
    .filter(([isOffered]) => isOffered)
    .flatMap(([, flags, meaning]) => [`  ${command} ${flags}`, `      ${meaning}`]);
}
