import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { DaprMtlsError } from '../errors.ts';
import { locate, type Place } from '../store/directory/place.ts';
import { DirectoryReader } from '../store/directory/read.ts';
import type { BundleReader } from '../store/port.ts';
import type { ClusterFlags } from './open-cluster.ts';

/** The flags by which a command is told a directory (`directoryFlags`). */
export interface DirectoryFlags {
  readonly dir: string | undefined;
  readonly 'issuer-ca-filename': string;
  readonly 'issuer-certificate-filename': string;
  readonly 'issuer-key-filename': string;
}

/** The flags by which a command is told its store (`storeFlags`). */
export interface StoreFlags extends DirectoryFlags, ClusterFlags {
  readonly kubernetes: boolean;
  readonly namespace: string | undefined;
}

export type StoreChoice = { readonly kind: 'directory'; readonly place: Place } | { readonly kind: 'cluster' };

/**
 * Which store the words mean. Nothing is inferred from what the machine happens to hold.
 * @param purpose who names none reads the cluster, as upstream's commands do; a change has to be told
 * @throws DaprMtlsError `usage.store`
 */
export function chooseStore(flags: StoreFlags, env: NodeJS.ProcessEnv, purpose: 'read' | 'change'): StoreChoice {
  const isCluster = flags.kubernetes || flags.context !== undefined || flags.kubeconfig !== undefined;
  if (isCluster && flags.dir !== undefined) {
    throw new DaprMtlsError('usage.store', {
      message: '--dir names a directory, and another flag a cluster',
      hint: 'Choose one: --dir DIR, or -k with --context and --kubeconfig.',
    });
  }
  if (isCluster) return { kind: 'cluster' };
  if (nameOfDirectory(flags, env) !== undefined) return { kind: 'directory', place: locateDirectory(flags, env) };
  if (purpose === 'read') return { kind: 'cluster' };
  throw new DaprMtlsError('usage.store', {
    message: 'which trust store? required flag(s) "kubernetes" not set, and no --dir given',
    hint: 'Say -k for the cluster of your kubeconfig, or name a directory: --dir DIR or DAPR_MTLS_DIR.',
  });
}

/** For commands that know directories alone. @throws DaprMtlsError `usage.store` where none is named */
export function locateDirectory(flags: DirectoryFlags, env: NodeJS.ProcessEnv, fallback?: () => string): Place {
  const directory = nameOfDirectory(flags, env) ?? fallback?.();
  if (directory === undefined || directory === '') {
    throw new DaprMtlsError('usage.store', {
      message: 'which directory? no --dir given',
      hint: 'Name the directory that holds the bundle with --dir DIR or DAPR_MTLS_DIR, for example --dir ~/.dapr/certs.',
    });
  }
  return locate(directory, {
    anchors: flags['issuer-ca-filename'],
    issuerChain: flags['issuer-certificate-filename'],
    issuerKey: flags['issuer-key-filename'],
  });
}

function nameOfDirectory({ dir }: DirectoryFlags, env: NodeJS.ProcessEnv): string | undefined {
  return dir ?? (env.DAPR_MTLS_DIR || undefined);
}

/**
 * `$HOME/.dapr/certs`, as in Dapr's documentation; DAPR_RUNTIME_PATH moves `.dapr` as it does for
 * the official CLI.
 */
export function defaultDirectory(env: NodeJS.ProcessEnv): string {
  const base = env.DAPR_RUNTIME_PATH || homedir();
  if (base && existsSync(base)) return join(base, '.dapr', 'certs');
  throw new DaprMtlsError('usage.store', {
    message: base
      ? `${env.DAPR_RUNTIME_PATH ? 'DAPR_RUNTIME_PATH' : 'the home directory'} ${base} does not exist`
      : 'there is no home directory',
    hint: 'Name the directory for the bundle with --dir DIR.',
  });
}

export function openDirectory(place: Place): BundleReader {
  return new DirectoryReader(place);
}

/** What is asked for where the Secret may not be read: everything but the issuer key. */
export interface PublicParts {
  /** As `--sentry-address` has it; undefined: its name in the cluster. */
  readonly sentryAddress: string | undefined;
}

/**
 * What writes, and what speaks to a cluster, is loaded only where it is needed.
 * @param publicParts given: they will do where a cluster's Secret may not be read
 */
export async function openReader(
  flags: StoreFlags,
  env: NodeJS.ProcessEnv,
  publicParts?: PublicParts,
): Promise<BundleReader> {
  const choice = chooseStore(flags, env, 'read');
  if (choice.kind === 'directory') return new DirectoryReader(choice.place);
  const { openClusterReader } = await import('./open-cluster-reader.ts');
  return openClusterReader(flags, env, publicParts);
}
