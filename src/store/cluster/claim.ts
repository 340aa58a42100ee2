import type { ProcessIdentity } from '../directory/process-identity.ts';
import { encodeEntry, readEntry } from './keeper.ts';
import type { ConfigMapObject, SecretObject } from './objects.ts';

/**
 * Who is changing the bundle, and what has to be put back should that run die: while `ca.crt` is
 * being changed the ConfigMap is absent.
 */
export interface Claim {
  readonly version: 1;
  readonly id: string;
  /** The command, as people type it. */
  readonly purpose: string;
  readonly startedAt: string;
  /** Whom to ask: host and process. */
  readonly holder: string;
  /** By which another run on the same machine tells that this one has died. */
  readonly process?: ProcessIdentity;
  /** Set before the ConfigMap is deleted. */
  readonly change: ClaimedChange | null;
}

export interface ClaimedChange {
  readonly configMap: KeptConfigMap;
  /** Of the anchors that the change writes; hexadecimal. */
  readonly anchorsSha256: string;
}

/** All of a ConfigMap that a new one of the same name has to bear. */
export interface KeptConfigMap {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, string>>;
  readonly binaryData: Readonly<Record<string, string>>;
  readonly immutable: boolean;
}

export const claimKey = 'claim.json';

export function claimOf(keeper: SecretObject | undefined): Claim | undefined {
  const claim = readEntry<Claim>(keeper, claimKey);
  return claim?.version === 1 ? claim : undefined;
}

export function encodeClaim(claim: Claim): { readonly [claimKey]: string } {
  return { [claimKey]: encodeEntry(claim) };
}

export function keepConfigMap({ metadata, data, binaryData, immutable }: ConfigMapObject): KeptConfigMap {
  return {
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    data: data ?? {},
    binaryData: binaryData ?? {},
    immutable: immutable === true,
  };
}
