import { type Certificate, isSignedBy } from './certificate.ts';
import { type CertificateDetail, extendedKeyUsages, readDetail } from './extensions.ts';

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

/** RSA PKCS#1 v1.5 and PSS, ECDSA with SHA-256/384/512, Ed25519. SHA-1 and MD5 are refused by Go. */
const acceptedSignatureAlgorithms = new Set([
  '1.2.840.113549.1.1.11',
  '1.2.840.113549.1.1.12',
  '1.2.840.113549.1.1.13',
  '1.2.840.113549.1.1.10',
  '1.2.840.10045.4.3.2',
  '1.2.840.10045.4.3.3',
  '1.2.840.10045.4.3.4',
  '1.3.101.112',
]);

interface Node {
  readonly certificate: Certificate;
  readonly detail: CertificateDetail;
}

type Role = 'leaf' | 'intermediate' | 'root';

/**
 * Verifies a certificate against the anchors.
 * @throws DaprMtlsError `trust.unreadable` for a certificate that Go would not even parse
 */
export function verifyChain(certificate: Certificate, options: VerifyOptions): Verification {
  const leaf = toNode(certificate);
  const invalid = whyInvalid('leaf', leaf, 0, options.at);
  if (invalid) return refused(invalid);
  const isAnchor = options.anchors.some((anchor) => anchor.fingerprint === certificate.fingerprint);
  if (isAnchor) return judgeChains([[leaf]], options);
  return search(leaf, 0, options);
}

/**
 * Would a leaf that this chain's first certificate signs verify? What daprd asks, and Sentry does
 * not: an issuer that is no authority or has no room below it starts well and then every sidecar
 * hangs.
 * @param issuerChain leaf first, as Sentry sends it behind each leaf
 * @throws DaprMtlsError `trust.unreadable` for a certificate that Go would not even parse
 */
export function verifyLeafOf(
  issuerChain: readonly [Certificate, ...Certificate[]],
  options: Omit<VerifyOptions, 'intermediates'>,
): Verification {
  const [certificate, ...intermediates] = issuerChain;
  const issuer = toNode(certificate);
  const invalid = whyNoAuthority(issuer) ?? whyInvalid('intermediate', issuer, 1, options.at);
  if (invalid) return refused(invalid);
  return search(issuer, 1, { ...options, intermediates });
}

function search(start: Node, below: number, options: VerifyOptions): Verification {
  const paths = new PathSearch(options.anchors.map(toNode), options.intermediates.map(toNode), options.at, below);
  const candidates = paths.buildChains(start, [start]);
  return candidates.length === 0 ? refused(paths.reason()) : judgeChains(candidates, options);
}

function judgeChains(candidates: readonly (readonly Node[])[], { usage }: VerifyOptions): Verification {
  const id = usage && extendedKeyUsages[usage];
  const usable = candidates.filter((chain) => id === undefined || allowsUsage(chain, id));
  if (usable.length === 0) return refused(`no chain allows ${usage}`);
  const free = usable.filter((chain) => !chain.slice(1).some((node) => node.detail.hasNameConstraints));
  if (free.length === 0) return refused('name constraints are not supported');
  return { ok: true, reason: '', chains: free.map((chain) => chain.map((node) => node.certificate)) };
}

function refused(reason: string): Verification {
  return { ok: false, reason, chains: [] };
}

function toNode(certificate: Certificate): Node {
  return { certificate, detail: readDetail(certificate) };
}

class PathSearch {
  readonly #anchors: readonly Node[];
  readonly #intermediates: readonly Node[];
  readonly #at: Date;
  /** How many certificates stand below the one the search starts from. */
  readonly #below: number;
  #checks = 0;
  /** Why candidates were turned down, the most telling reason last. */
  readonly #refusals: { signature: string[]; other: string[] } = { signature: [], other: [] };

  constructor(anchors: readonly Node[], intermediates: readonly Node[], at: Date, below: number) {
    this.#anchors = anchors;
    this.#intermediates = intermediates;
    this.#at = at;
    this.#below = below;
  }

  /** A wrong signature is what every namesake has; any other reason tells more. */
  reason(): string {
    const [reason] = [...this.#refusals.other, ...this.#refusals.signature];
    return reason ?? 'signed by unknown authority';
  }

  buildChains(child: Node, chain: readonly Node[]): Node[][] {
    const chains: Node[][] = [];
    const parents = [
      ...parentsOf(child, this.#anchors).map((node) => ({ role: 'root' as const, node })),
      ...parentsOf(child, this.#intermediates).map((node) => ({ role: 'intermediate' as const, node })),
    ];
    for (const { role, node } of parents) {
      this.#checks += 1;
      if (this.#checks > signatureCheckLimit) {
        this.#refusals.other.unshift('signature check attempts limit reached');
        return chains;
      }
      if (chain.some((link) => isSameEntity(node, link))) continue;
      const unsigned = whyNotSignedBy(child, node);
      const invalid = unsigned ? undefined : whyInvalid(role, node, chain.length + this.#below, this.#at);
      if (unsigned) this.#refusals.signature.push(unsigned);
      if (invalid) this.#refusals.other.push(invalid);
      if (unsigned || invalid) continue;
      const longer = [...chain, node];
      if (role === 'root') chains.push(longer);
      else chains.push(...this.buildChains(node, longer));
    }
    return chains;
  }
}

/** Found by the exact bytes of the name; key identifiers only order the candidates, as in Go. */
function parentsOf(child: Node, pool: readonly Node[]): Node[] {
  const byName = pool.filter((node) => node.detail.subjectDer.equals(child.detail.issuerDer));
  const keyId = child.detail.authorityKeyId ?? Buffer.alloc(0);
  const rank = ({ detail }: Node) => {
    const subjectKeyId = detail.subjectKeyId ?? Buffer.alloc(0);
    if (subjectKeyId.equals(keyId)) return 0;
    return (subjectKeyId.length === 0) !== (keyId.length === 0) ? 1 : 2;
  };
  return byName.sort((a, b) => rank(a) - rank(b));
}

/** Go's alreadyInChain: same name, key and alternative names, so a cross-certificate cannot loop. */
function isSameEntity(candidate: Node, link: Node): boolean {
  if (!candidate.detail.subjectDer.equals(link.detail.subjectDer)) return false;
  if (!candidate.detail.spkiDer.equals(link.detail.spkiDer)) return false;
  const [a, b] = [candidate.detail.subjectAlternativeName, link.detail.subjectAlternativeName];
  return a && b ? a.equals(b) : a === b;
}

/** Go's CheckSignatureFrom. Undefined when the parent may have signed, and did. */
export function whyNotSigned(child: Certificate, parent: Certificate): string | undefined {
  return whyNotSignedBy(toNode(child), toNode(parent));
}

function whyNotSignedBy(child: Node, parent: Node): string | undefined {
  const noAuthority = whyNoAuthority(parent);
  if (noAuthority) return noAuthority;
  if (!acceptedSignatureAlgorithms.has(child.detail.signatureAlgorithm))
    return `the signature algorithm ${child.detail.signatureAlgorithm} is refused`;
  if (!isSignedBy(child.certificate, parent.certificate))
    return `the signature does not verify under the key of ${parent.certificate.subject}`;
  return undefined;
}

function whyNoAuthority({ certificate, detail }: Node): string | undefined {
  const { version, basicConstraints, keyUsage } = detail;
  if ((version === 3 && !basicConstraints) || (basicConstraints && !basicConstraints.ca))
    return `${certificate.subject} is not a certificate authority`;
  if (keyUsage && keyUsage.length > 0 && !keyUsage.includes('keyCertSign'))
    return `${certificate.subject} may not sign certificates (no keyCertSign)`;
  return undefined;
}

/** Go's isValid. `below` counts what stands below the candidate, the leaf included. */
function whyInvalid(role: Role, { certificate, detail }: Node, below: number, at: Date): string | undefined {
  const { subject, notBefore, notAfter } = certificate;
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
function allowsUsage(chain: readonly Node[], usage: string): boolean {
  return chain.every(({ detail }) => {
    const named = detail.extendedKeyUsage;
    return !named || named.length === 0 || named.includes(extendedKeyUsages.any) || named.includes(usage);
  });
}
