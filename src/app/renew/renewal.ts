import type { KeyObject } from 'node:crypto';
import type { TrustBundle } from '../../pki/bundle.ts';
import type { Certificate } from '../../pki/certificate.ts';
import type { KeyType } from '../../pki/keys.ts';
import type { DaprVersion } from '../../pki/rules/context.ts';

/** The three ways of the command, as upstream has them. */
export type RenewRequest =
  | { readonly kind: 'fresh'; readonly procedure: 'bridge' | 'replace' | undefined }
  | { readonly kind: 'private-key'; readonly rootKey: KeyObject; readonly procedure: 'bridge' | 'replace' | undefined }
  | { readonly kind: 'own'; readonly bundle: TrustBundle };

export interface RenewOptions {
  readonly request: RenewRequest;
  readonly now: Date;
  readonly rootValidMs: number;
  readonly issuerValidMs: number;
  readonly allowedClockSkewMs: number;
  readonly trustDomain: string;
  readonly keyType: KeyType;
  readonly issuerPathLength: number | undefined;
  /** Undefined where it is not known. */
  readonly daprVersion: DaprVersion | undefined;
  readonly newSerial: () => string;
  readonly newKey: (type: KeyType) => KeyObject;
}

/**
 * bridge: the new root is cross-signed by the old issuer, so old and new anchors both verify.
 * same-key: the root anew on its key, name and identifier. same-root: own files under an anchor
 * that is there already. replace: who holds only the old anchors is cut off.
 */
export type Procedure = 'bridge' | 'same-key' | 'same-root' | 'replace';

/** The only step of a bundle that Sentry refuses, and of no other: there is nothing to be gentle to. */
export const allInOneStep = 'put the new bundle into its place';

/** The bundle that a renewal leads to, made and judged, not yet written. */
export interface Renewal {
  readonly procedure: Procedure;
  readonly bundle: TrustBundle;
  readonly root: Certificate;
  /** The key of a root that was made; undefined for own certificates. */
  readonly rootKey: KeyObject | undefined;
  /** Why it could not be done in a gentler way, in whole sentences. */
  readonly remarks: readonly string[];
}
