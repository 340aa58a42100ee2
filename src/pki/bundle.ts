import { createPublicKey, type KeyObject } from 'node:crypto';
import { type Certificate, hasSameKey, isSelfSigned, isSignedBy } from './certificate.ts';

/** anchors + issuer chain (leaf first) + issuer key: what Sentry lives on. */
export interface TrustBundle {
  readonly anchors: readonly Certificate[];
  readonly issuerChain: readonly [Certificate, ...Certificate[]];
  readonly issuerKey: KeyObject;
}

/** The bundle as the three files hold it. */
export interface BundleFiles {
  readonly anchors: Buffer;
  readonly issuerChain: Buffer;
  readonly issuerKey: Buffer;
}

/**
 * "The root": the anchor whose key signed the issuer in use. Under a bridge that is the new one.
 * Where a root was renewed on its key several anchors fit; the one that lives longest decides,
 * because a verifier that holds them all takes any of them.
 */
export function findRoot(
  anchors: readonly Certificate[],
  issuerChain: readonly Certificate[],
): Certificate | undefined {
  for (const link of issuerChain) {
    const signers = anchors.filter((anchor) => isSignedBy(link, anchor));
    const [longest] = signers.sort((a, b) => b.notAfter.getTime() - a.notAfter.getTime());
    if (longest) return longest;
  }
  return undefined;
}

/** True when one certificate of the issuer chain is an anchor's key signed by another key. */
export function isBridged({ anchors, issuerChain }: Pick<TrustBundle, 'anchors' | 'issuerChain'>): boolean {
  return issuerChain
    .slice(1)
    .some((link) => !isSelfSigned(link) && anchors.some((anchor) => hasSameKey(anchor.publicKey, link.publicKey)));
}

export function belongsTo(key: KeyObject, certificate: Certificate): boolean {
  return hasSameKey(createPublicKey(key), certificate.publicKey);
}
