import { basename } from 'node:path';
import { defaultTrustDomain } from '../app/configuration/settings.ts';
import { DaprMtlsError } from '../errors.ts';
import { certificatesOf, readCertificateFile } from '../pki/reading.ts';
import { trustDomainOf } from '../pki/trust-domain.ts';
import { type Shell, shells } from '../render/environment.ts';
import type { Place } from '../store/directory/place.ts';
import { readFiles } from '../store/directory/read.ts';
import { findSettings } from './configuration-file.ts';

export function guessShell({ SHELL }: NodeJS.ProcessEnv): Shell {
  const name = basename(SHELL ?? (process.platform === 'win32' ? 'powershell' : 'bash'));
  return shells.find((shell) => shell === name) ?? 'bash';
}

/** What the Configuration says, else what the issuer was made for, else Dapr's default. */
export async function findTrustDomain(place: Place, configFlag: string | undefined): Promise<string> {
  const { settings } = await findSettings(place, configFlag);
  return settings.trustDomain ?? trustDomainInUse(place) ?? defaultTrustDomain;
}

/** Undefined for what cannot be read: the commands that need the issuer say so themselves. */
function trustDomainInUse({ directory, names }: Place): string | undefined {
  const { issuerChain } = readFiles(directory, names);
  const [issuer] = certificatesOf(issuerChain && readCertificateFile('issuerChain', issuerChain));
  try {
    return issuer && trustDomainOf(issuer);
  } catch (error) {
    if (error instanceof DaprMtlsError) return undefined;
    throw error;
  }
}

/** A key is never part of a document that machines pass on. @throws DaprMtlsError `usage.invalid` */
export function assertKeyMayShow(withIssuerKey: boolean, format: string): void {
  if (!withIssuerKey || format === 'text') return;
  throw new DaprMtlsError('usage.invalid', {
    message: `--with-issuer-key would put the issuer key into ${format.toUpperCase()}`,
    hint: 'Leave --format out: the lines for a shell may hold it.',
  });
}
