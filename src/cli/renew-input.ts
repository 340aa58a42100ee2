import type { RenewInput } from '../app/renew/renew.ts';
import type { RenewRequest } from '../app/renew/renewal.ts';
import { DaprMtlsError } from '../errors.ts';
import type { KeyType } from '../pki/keys.ts';
import type { DaprVersion } from '../pki/rules/context.ts';
import { takesEveryKeyType } from '../pki/rules/key.ts';
import { type KeyFlags, randomness, readOwnBundle, readPassphrase, readRootKey, readRootKeyWish } from './key-files.ts';
import type { Site } from './site.ts';

export interface CertificateFlags extends KeyFlags {
  readonly 'trust-domain': string | undefined;
  readonly 'valid-until': number | undefined;
  readonly 'root-valid-until': number | undefined;
  readonly 'issuer-path-length': number | undefined;
  readonly 'key-type': KeyType;
  readonly config: string | undefined;
  readonly keep: number;
}

export interface RenewFlags extends CertificateFlags {
  readonly procedure: 'bridge' | 'replace' | undefined;
  readonly 'if-expires-within': number | undefined;
  readonly 'dapr-version': DaprVersion | undefined;
}

const yearMs = 365 * 86_400_000;

export function validityOf(flags: Pick<CertificateFlags, 'valid-until' | 'root-valid-until'>) {
  const issuerValidMs = flags['valid-until'] ?? yearMs;
  return { issuerValidMs, rootValidMs: flags['root-valid-until'] ?? issuerValidMs };
}

/** Reads every file that the flags name; nothing is written. */
export async function readRenewInput(
  flags: RenewFlags,
  { place, settings: { settings }, trustDomain, daprVersion }: Site,
  now: Date,
): Promise<RenewInput & { warnings: string[] }> {
  const passphrase = readPassphrase(flags['passphrase-file']);
  const version = flags['dapr-version'] ?? daprVersion;
  assertKeyTypeFits(flags['key-type'], version);
  const own = readOwnBundle(flags, passphrase);
  const rootKey = readRootKey(flags, passphrase);
  const { procedure } = flags;
  const request: RenewRequest = own
    ? { kind: 'own', bundle: own }
    : rootKey
      ? { kind: 'private-key', rootKey, procedure }
      : { kind: 'fresh', procedure };
  return {
    request,
    purpose: purposeOf(request),
    rootKey: readRootKeyWish(flags, passphrase, place),
    backupPassphrase: passphrase,
    keepBackups: flags.keep,
    ifExpiresWithinMs: flags['if-expires-within'],
    now,
    ...validityOf(flags),
    allowedClockSkewMs: settings.allowedClockSkewMs,
    trustDomain: flags['trust-domain'] ?? trustDomain,
    keyType: flags['key-type'],
    issuerPathLength: flags['issuer-path-length'],
    daprVersion: version,
    ...randomness,
    warnings:
      own && flags['valid-until'] !== undefined
        ? ['Warning: --valid-until is ignored: your own certificates have their dates']
        : [],
  };
}

/** @throws DaprMtlsError `usage.invalid` where Sentry of that version would not run on such an issuer */
export function assertKeyTypeFits(keyType: KeyType, version: DaprVersion | undefined): void {
  if (!version || keyType === 'p256' || keyType === 'p384' || takesEveryKeyType(version)) return;
  throw new DaprMtlsError('usage.invalid', {
    message: `Dapr ${version.major}.${version.minor}.${version.patch} does not take an issuer of type ${keyType}`,
    hint: 'Leave --key-type out: p256 runs on every version.',
  });
}

function purposeOf({ kind }: RenewRequest): string {
  if (kind === 'own') return 'renew-certificate with own certificates';
  return kind === 'fresh' ? 'renew-certificate' : 'renew-certificate --private-key';
}
