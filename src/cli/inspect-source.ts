import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { assertBundle } from '../app/assert-bundle.ts';
import type { InspectInput } from '../app/inspect.ts';
import { DaprMtlsError, isSystemError } from '../errors.ts';
import { readCertificateFile, readKeyFile } from '../pki/reading.ts';
import { locate } from '../store/directory/place.ts';
import { DirectoryReader } from '../store/directory/read.ts';
import type { BundleReader, StoredBundle, StoreLocation } from '../store/port.ts';
import { openReader, type StoreFlags } from './open-store.ts';

const sizeLimit = 1024 * 1024;

/** FILE, DIR or `-` as given; without one, the store that the flags name. */
export async function gatherForInspection(
  argument: string | undefined,
  flags: StoreFlags,
  env: NodeJS.ProcessEnv,
): Promise<Omit<InspectInput, 'at'>> {
  if (argument === undefined) return gatherStore(await openReader(flags, env));
  if (argument === '-') return gatherFile('stdin', 'standard input', readFileSync(0));
  const stat = statOf(argument);
  if (stat.isDirectory()) {
    const names = {
      anchors: flags['issuer-ca-filename'],
      issuerChain: flags['issuer-certificate-filename'],
      issuerKey: flags['issuer-key-filename'],
    };
    return gatherStore(new DirectoryReader(locate(argument, names)));
  }
  if (stat.size > sizeLimit) throw notReadable(argument, `it is ${stat.size} bytes long`);
  return gatherFile('file', argument, readFileSync(argument));
}

function statOf(path: string) {
  try {
    return statSync(resolve(path));
  } catch (cause) {
    if (isSystemError(cause) && cause.code === 'ENOENT') {
      throw new DaprMtlsError('file.missing', {
        message: `${path} does not exist`,
        hint: 'Name a file, a directory, or - for standard input.',
        cause,
      });
    }
    throw notReadable(path, cause instanceof Error ? cause.message : String(cause));
  }
}

function notReadable(path: string, reason: string): DaprMtlsError {
  return new DaprMtlsError('file.io', {
    message: `${path} cannot be read: ${reason}`,
    hint: 'Name a PEM file, a directory with a bundle, or - for standard input.',
  });
}

async function gatherStore(store: BundleReader): Promise<Omit<InspectInput, 'at'>> {
  const stored = await store.read();
  assertBundle(stored, store.location);
  return describeFiles(stored.files, store.location);
}

/** The files of a store that was read already; those that are missing are left out. */
export function describeFiles(
  { anchors, issuerChain, issuerKey }: StoredBundle['files'],
  { kind, names, name }: StoreLocation,
): Omit<InspectInput, 'at'> {
  return {
    source: { kind, name },
    certificateFiles: [
      ...(anchors ? [{ name: names.anchors, file: readCertificateFile('anchors', anchors) }] : []),
      ...(issuerChain ? [{ name: names.issuerChain, file: readCertificateFile('issuerChain', issuerChain) }] : []),
    ],
    keyFiles: issuerKey ? [{ name: names.issuerKey, file: readKeyFile(issuerKey, names.issuerKey) }] : [],
  };
}

/** One file may hold certificates and a key. */
function gatherFile(kind: 'file' | 'stdin', name: string, bytes: Buffer): Omit<InspectInput, 'at'> {
  return {
    source: { kind, name },
    certificateFiles: [{ name, file: readCertificateFile('issuerChain', bytes) }],
    keyFiles: [{ name, file: readKeyFile(bytes, name) }],
  };
}
