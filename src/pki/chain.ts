import type { KeyObject } from 'node:crypto';
import { type Certificate, isSignedBy } from './certificate.ts';
import { extendedKeyUsages } from './extensions.ts';
import { isVerifiedByGo } from './signature-algorithm.ts';

/**
 * Verification as Go's crypto/x509 does it (verify.go of Go 1.26), because Sentry and daprd are Go.
 * OpenSSL and Node answer differently on path lengths of self-issued certificates and on key
 * identifiers, so neither may gate a change of trust.
 */
export interface Verification {
  readonly ok: boolean;
  /** Why no chain was found; empty when one was. */
  readonly reason: string;
  /** The chains found, each from the certificate up to and including an anchor. */
  readonly chains: readonly (readonly Certificate[])[];
}

export interface VerifyOptions {
  readonly anchors: readonly Certificate[];
  readonly intermediates: readonly Certificate[];
  readonly at: Date;
  /** Each must be allowed by one chain on its own; none asked means any, as go-spiffe verifies peers. */
  readonly usage?: 'serverAuth' | 'clientAuth';
}

/** Go gives up after so many signature checks (maxChainSignatureChecks). */
const signatureCheckLimit = 100;

/** What a chain is climbed from: a certificate, or one that its issuer is yet to sign. */
interface Link {
  readonly issuerDer: Buffer;
  readonly authorityKeyId: Buffer | undefined;
  readonly isSignedBy: (parent: Certificate) => boolean;
  /** The signature algorithm, where Go does not verify with it. */
  readonly refusedAlgorithm: string | undefined;
}

type Role = 'leaf' | 'intermediate' | 'root';

/** Verifies a certificate against the anchors. */
export function verifyChain(certificate: Certificate, options: VerifyOptions): Verification {
  const invalid = whyInvalid('leaf', certificate, 0, options.at);
  if (invalid) return refused(invalid);
  const isAnchor = options.anchors.some(({ fingerprint }) => fingerprint === certificate.fingerprint);
  if (isAnchor) return judgeChains([[certificate]], options);
  return search(toLink(certificate), [certificate], options);
}

/**
 * Would a leaf that this chain's first certificate signs verify? What daprd asks, and Sentry does
 * not: an issuer that is no authority or has no room below it starts well and then every sidecar
 * hangs.
 * @param issuerChain leaf first, as Sentry sends it behind each leaf
 */
export function verifyLeafOf(
  issuerChain: readonly [Certificate, ...Certificate[]],
  options: Omit<VerifyOptions, 'intermediates'>,
): Verification {
  const [issuer] = issuerChain;
  const leaf: Link = {
    issuerDer: issuer.detail.subjectDer,
    authorityKeyId: issuer.detail.subjectKeyId,
    isSignedBy: (parent) => parent.detail.spkiDer.equals(issuer.detail.spkiDer),
    refusedAlgorithm: undefined,
  };
  return search(leaf, [], { ...options, intermediates: issuerChain });
}

function search(start: Link, chain: readonly Certificate[], options: VerifyOptions): Verification {
  const paths = new PathSearch(options, 1 - chain.length);
  const candidates = paths.buildChains(start, chain);
  return candidates.length === 0 ? refused(paths.reason()) : judgeChains(candidates, options);
}

function judgeChains(candidates: readonly (readonly Certificate[])[], { usage }: VerifyOptions): Verification {
  const id = usage && extendedKeyUsages[usage];
  const usable = candidates.filter((chain) => id === undefined || allowsUsage(chain, id));
  if (usable.length === 0) return refused(`no chain allows ${usage}`);
  const chains = usable.filter((chain) => chain.every(({ detail }) => detail.unweighed.length === 0));
  if (chains.length > 0) return { ok: true, reason: '', chains };
  const [unweighed] = usable.flat().flatMap(({ detail }) => detail.unweighed);
  return refused(`${unweighed} are not supported`);
}

function refused(reason: string): Verification {
  return { ok: false, reason, chains: [] };
}

function toLink(certificate: Certificate): Link {
  const { issuerDer, authorityKeyId } = certificate.detail;
  return {
    issuerDer,
    authorityKeyId,
    isSignedBy: (parent) => isSignedBy(certificate, parent),
    refusedAlgorithm: isVerifiedByGo(certificate.detail) ? undefined : certificate.detail.signatureAlgorithm,
  };
}

class PathSearch {
  readonly #anchors: readonly Certificate[];
  readonly #intermediates: readonly Certificate[];
  readonly #at: Date;
  /** How many certificates stand below the chain that the search starts with. */
  readonly #below: number;
  #checks = 0;
  /** Why candidates were turned down; the first of `other` tells most. */
  readonly #refusals: { signature: string[]; other: string[] } = { signature: [], other: [] };

  constructor({ anchors, intermediates, at }: VerifyOptions, below: number) {
    this.#anchors = withoutRepeats(anchors);
    this.#intermediates = withoutRepeats(intermediates);
    this.#at = at;
    this.#below = below;
  }

  /** A wrong signature is what every namesake has; any other reason tells more. */
  reason(): string {
    const [reason] = [...this.#refusals.other, ...this.#refusals.signature];
    return reason ?? 'signed by unknown authority';
  }

  buildChains(child: Link, chain: readonly Certificate[]): Certificate[][] {
    const chains: Certificate[][] = [];
    const parents = [
      ...parentsOf(child, this.#anchors).map((parent) => ({ role: 'root' as const, parent })),
      ...parentsOf(child, this.#intermediates).map((parent) => ({ role: 'intermediate' as const, parent })),
    ];
    for (const { role, parent } of parents) {
      this.#checks += 1;
      if (this.#checks > signatureCheckLimit) {
        this.#refusals.other.unshift('signature check attempts limit reached');
        return chains;
      }
      if (isInChain(parent, chain) || this.#turnsDown(child, role, parent, chain.length)) continue;
      const longer = [...chain, parent];
      if (role === 'root') chains.push(longer);
      else chains.push(...this.buildChains(toLink(parent), longer));
    }
    return chains;
  }

  #turnsDown(child: Link, role: Role, parent: Certificate, chainLength: number): boolean {
    const unsigned = whyNotSignedBy(child, parent);
    const reason = whyNoAuthority(parent) ?? unsigned ?? whyInvalid(role, parent, chainLength + this.#below, this.#at);
    if (reason) (reason === unsigned ? this.#refusals.signature : this.#refusals.other).push(reason);
    return reason !== undefined;
  }
}

/** Go's pools hold each certificate once. */
function withoutRepeats(certificates: readonly Certificate[]): Certificate[] {
  return [...new Map(certificates.map((certificate) => [certificate.fingerprint, certificate])).values()];
}

/** Found by the exact bytes of the name; key identifiers only order the candidates, as in Go. */
function parentsOf(child: Link, pool: readonly Certificate[]): Certificate[] {
  const byName = pool.filter(({ detail }) => detail.subjectDer.equals(child.issuerDer));
  const keyId = child.authorityKeyId ?? Buffer.alloc(0);
  const rank = ({ detail }: Certificate) => {
    const subjectKeyId = detail.subjectKeyId ?? Buffer.alloc(0);
    if (subjectKeyId.equals(keyId)) return 0;
    return (subjectKeyId.length === 0) !== (keyId.length === 0) ? 1 : 2;
  };
  return byName.sort((a, b) => rank(a) - rank(b));
}

/**
 * Go's alreadyInChain: same name, key and alternative names, so a cross-certificate cannot loop. The
 * first namesake with this key of which only one has alternative names settles it, oddly.
 */
function isInChain({ detail: candidate }: Certificate, chain: readonly Certificate[]): boolean {
  for (const { detail: link } of chain) {
    if (!candidate.subjectDer.equals(link.subjectDer) || !candidate.spkiDer.equals(link.spkiDer)) continue;
    const [a, b] = [candidate.subjectAlternativeName, link.subjectAlternativeName];
    if (!a || !b) return a === b;
    if (a.equals(b)) return true;
  }
  return false;
}

/** Go's CheckSignatureFrom. Undefined when the parent may have signed, and did. */
export function whyNotSigned(child: Certificate, parent: Certificate): string | undefined {
  return whyNoAuthority(parent) ?? whyNotSignedBy(toLink(child), parent);
}

function whyNotSignedBy(child: Link, parent: Certificate): string | undefined {
  if (child.refusedAlgorithm) return `the signature algorithm ${child.refusedAlgorithm} is refused`;
  if (isShortRsaKey(parent.publicKey)) return `the RSA key of ${parent.subject} is shorter than 1024 bits`;
  if (!child.isSignedBy(parent)) return `the signature does not verify under the key of ${parent.subject}`;
  return undefined;
}

function isShortRsaKey(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < 1024;
}

function whyNoAuthority({ subject, detail }: Certificate): string | undefined {
  const { version, basicConstraints, keyUsage } = detail;
  if ((version === 3 && !basicConstraints) || (basicConstraints && !basicConstraints.ca))
    return `${subject} is not a certificate authority`;
  if (keyUsage && keyUsage.length > 0 && !keyUsage.includes('keyCertSign'))
    return `${subject} may not sign certificates (no keyCertSign)`;
  return undefined;
}

/** Go's isValid. `below` counts what stands below the candidate, the leaf included. */
function whyInvalid(
  role: Role,
  { subject, notBefore, notAfter, detail }: Certificate,
  below: number,
  at: Date,
): string | undefined {
  if (detail.unhandledCritical.length > 0) return `unhandled critical extension ${detail.unhandledCritical[0]}`;
  if (at < notBefore) return `${subject} is not valid before ${notBefore.toISOString()}`;
  if (at > notAfter) return `${subject} expired at ${notAfter.toISOString()}`;
  if (role === 'intermediate' && !detail.basicConstraints?.ca) return `${subject} is not a certificate authority`;
  const pathLength = detail.basicConstraints?.pathLength;
  // Self-issued certificates count here: RFC 5280 would pass over them, Go does not.
  if (role !== 'leaf' && pathLength !== undefined && below - 1 > pathLength)
    return `too many intermediates for the path length ${pathLength} of ${subject}`;
  return undefined;
}

/** Every certificate that names usages must name this one, the anchor included (Go nests them). */
function allowsUsage(chain: readonly Certificate[], usage: string): boolean {
  return chain.every(({ detail }) => {
    const named = detail.extendedKeyUsage;
    return !named || named.length === 0 || named.includes(extendedKeyUsages.any) || named.includes(usage);
  });
}
