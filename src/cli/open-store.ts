import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { DaprMtlsError } from '../errors.ts';
import { locate, type Place } from '../store/directory/place.ts';
import { DirectoryReader } from '../store/directory/read.ts';
import { noClusters } from './no-clusters.ts';

/** The flags by which a command is told its store. */
export interface StoreFlags {
  readonly dir: string | undefined;
  readonly kubernetes: boolean;
  readonly 'issuer-ca-filename': string;
  readonly 'issuer-certificate-filename': string;
  readonly 'issuer-key-filename': string;
}

/** The directory is named, by the flag or the environment; nothing is inferred from what the machine holds. */
export function locateStore(flags: StoreFlags, env: NodeJS.ProcessEnv, fallback?: () => string): Place {
  const directory = flags.dir ?? (env.DAPR_MTLS_DIR || undefined) ?? fallback?.();
  if (flags.kubernetes) throw noClusters();
  if (directory === undefined || directory === '') {
    throw new DaprMtlsError('usage.store', {
      message: 'which trust store? required flag(s) "kubernetes" not set, and no --dir given',
      hint: 'Name the directory that holds the bundle with --dir DIR or DAPR_MTLS_DIR, for example --dir ~/.dapr/certs.',
    });
  }
  return locate(directory, {
    anchors: flags['issuer-ca-filename'],
    issuerChain: flags['issuer-certificate-filename'],
    issuerKey: flags['issuer-key-filename'],
  });
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

export function openForReading(place: Place): DirectoryReader {
  return new DirectoryReader(place);
}
