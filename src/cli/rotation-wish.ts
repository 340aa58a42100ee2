import type { RootKeyWish } from '../app/root-key.ts';
import { leafSettingsOf } from '../app/rotate/leaf-settings.ts';
import type { RotationWish } from '../app/rotate/plan.ts';
import type { Drain, Procedure, RotationSettings } from '../app/rotate/record.ts';
import type { RotationRequest } from '../app/rotate/stages.ts';
import type { DaprVersion } from '../pki/rules/context.ts';
import { randomness, readOwnBundle, readPassphrase, readRootKey, readRootKeyWish } from './key-files.ts';
import { assertKeyTypeFits, type CertificateFlags, validityOf } from './renew-input.ts';
import type { Site } from './site.ts';

export interface WishFlags extends Omit<CertificateFlags, 'keep'> {
  readonly procedure: Procedure | undefined;
  readonly drain: Drain | undefined;
  readonly 'skip-workload': readonly string[];
  readonly sentry: string | undefined;
  readonly 'dapr-version': DaprVersion | undefined;
}

export interface RotationInput {
  readonly wish: RotationWish;
  readonly rootKey: RootKeyWish | undefined;
  readonly settings: Omit<RotationSettings, 'drain' | 'keepsIssuers'>;
}

/** Reads every file that the flags name; nothing is written. @throws DaprMtlsError `usage.invalid`, `key.*`, `file.*` */
export function readRotationInput(flags: WishFlags, site: Site, now: Date): RotationInput {
  const { place, settings, trustDomain, daprVersion } = site;
  const passphrase = readPassphrase(flags['passphrase-file']);
  const version = flags['dapr-version'] ?? daprVersion;
  assertKeyTypeFits(flags['key-type'], version);
  const { workloadCertTtlMs, allowedClockSkewMs } = settings.settings;
  return {
    wish: {
      request: readRequest(flags, passphrase),
      procedure: flags.procedure,
      drain: flags.drain,
      skipped: flags['skip-workload'],
      now,
      ...validityOf(flags),
      workloadCertTtlMs,
      allowedClockSkewMs,
      trustDomain: flags['trust-domain'] ?? trustDomain,
      keyType: flags['key-type'],
      issuerPathLength: flags['issuer-path-length'],
      daprVersion: version,
      statedVersion: flags['dapr-version'],
      ...randomness,
    },
    rootKey: readRootKeyWish(flags, passphrase, place),
    settings: { ...leafSettingsOf(settings.settings), sentryAddress: flags.sentry },
  };
}

function readRequest(flags: WishFlags, passphrase: string | undefined): RotationRequest {
  const bundle = readOwnBundle(flags, passphrase);
  if (bundle) return { kind: 'own', bundle };
  const rootKey = readRootKey(flags, passphrase);
  return rootKey ? { kind: 'private-key', rootKey } : { kind: 'fresh' };
}
