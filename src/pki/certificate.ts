import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import { DaprMtlsError } from '../errors.ts';
import { assertDer } from './der.ts';
import { type CertificateDetail, parseDetail } from './extensions.ts';

/** A certificate that both node:crypto and Go's crypto/x509 can read. */
export interface Certificate {
  readonly der: Buffer;
  /** SHA-256 over the DER, lower-case hexadecimal. */
  readonly fingerprint: string;
  /** Lower-case hexadecimal, as in the certificate. */
  readonly serial: string;
  /** One line for people; names are compared as DER, never by this text. */
  readonly subject: string;
  readonly issuer: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: KeyObject;
  readonly keyAlgorithm: string;
  readonly x509: X509Certificate;
  readonly detail: CertificateDetail;
}

/**
 * Reads one certificate from exact DER. Stricter than node:crypto, which takes BER, trailing bytes,
 * names and dates that are none: what Go's x509.ParseCertificate refuses must not look healthy here.
 * @throws DaprMtlsError `trust.unreadable`
 */
export function readCertificate(der: Uint8Array): Certificate {
  const exact = Buffer.from(der);
  const fingerprint = createHash('sha256').update(exact).digest('hex');
  const read = known.get(fingerprint) ?? parse(exact, fingerprint);
  if (known.size >= knownLimit) known.clear();
  known.set(fingerprint, read);
  // A copy: a certificate that stands there twice is two of them.
  return { ...read };
}

/** Parsing takes half a millisecond, and one command reads the same certificates several times. */
const known = new Map<string, Certificate>();
const knownLimit = 10_000;

function parse(exact: Buffer, fingerprint: string): Certificate {
  try {
    assertDer(exact);
    const detail = parseDetail(exact);
    const x509 = new X509Certificate(exact);
    const publicKey = x509.publicKey;
    return {
      der: exact,
      fingerprint,
      serial: x509.serialNumber.toLowerCase(),
      subject: oneLine(x509.subject),
      issuer: oneLine(x509.issuer),
      notBefore: detail.notBefore,
      notAfter: detail.notAfter,
      publicKey,
      keyAlgorithm: describeKeyAlgorithm(publicKey),
      x509,
      detail,
    };
  } catch (cause) {
    throw new DaprMtlsError('trust.unreadable', {
      message: `a certificate cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      hint: 'Restore the file from a backup, or export the certificate anew from where it came.',
      cause,
    });
  }
}

/** Self-signed means: its own key verifies it. Equal names prove nothing. */
export function isSelfSigned(certificate: Certificate): boolean {
  return isSignedBy(certificate, certificate);
}

/** True when the signature verifies under the other's key, whatever the names say. */
export function isSignedBy({ x509 }: Certificate, { publicKey }: Certificate): boolean {
  const verdicts = verdictsOn.get(x509) ?? new WeakMap<KeyObject, boolean>();
  verdictsOn.set(x509, verdicts);
  const verdict = verdicts.get(publicKey) ?? verify(x509, publicKey);
  verdicts.set(publicKey, verdict);
  return verdict;
}

/** Every rule and every chain asks again, and a signature takes a quarter of a millisecond. */
const verdictsOn = new WeakMap<X509Certificate, WeakMap<KeyObject, boolean>>();

function verify(x509: X509Certificate, publicKey: KeyObject): boolean {
  try {
    return x509.verify(publicKey);
  } catch {
    return false;
  }
}

export function isSameCertificate(a: Certificate, b: Certificate): boolean {
  return a.fingerprint === b.fingerprint;
}

export function hasSameKey(a: KeyObject, b: KeyObject): boolean {
  // Not KeyObject.equals: for keys of two types it leaves an error in OpenSSL's queue, and the next
  // createPrivateKey of a good key fails with it (Node 20 and 22).
  return exportSpki(a).equals(exportSpki(b));
}

function exportSpki(key: KeyObject): Buffer {
  const spki = exported.get(key) ?? key.export({ type: 'spki', format: 'der' });
  exported.set(key, spki);
  return spki;
}

const exported = new WeakMap<KeyObject, Buffer>();

export function describeKeyAlgorithm(key: KeyObject): string {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'ec':
      return `ECDSA ${curveNames[namedCurve ?? ''] ?? namedCurve}`;
    case 'rsa':
      return `RSA ${modulusLength}`;
    case 'ed25519':
      return 'Ed25519';
    default:
      return key.asymmetricKeyType ?? 'unknown';
  }
}

const curveNames: Record<string, string> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };

/** node:crypto separates the parts of a name by line breaks. */
function oneLine(name: string | undefined): string {
  return (name ?? '').split('\n').join(', ');
}
