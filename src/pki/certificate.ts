import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import { DaprMtlsError } from '../errors.ts';
import { assertDer, readExactly, tags } from './der.ts';

/** What the fast commands need of a certificate: read by node:crypto alone. */
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
}

/**
 * Reads one certificate from exact DER. Stricter than node:crypto, which takes BER, trailing bytes
 * and dates that are none: what Go's x509.ParseCertificate refuses must not look healthy here.
 * @throws DaprMtlsError `trust.unreadable`
 */
export function readCertificate(der: Uint8Array): Certificate {
  const exact = Buffer.from(der);
  try {
    readExactly(exact, tags.sequence);
    assertDer(exact);
    const x509 = new X509Certificate(exact);
    const publicKey = x509.publicKey;
    return {
      der: exact,
      fingerprint: createHash('sha256').update(exact).digest('hex'),
      serial: x509.serialNumber.toLowerCase(),
      subject: oneLine(x509.subject),
      issuer: oneLine(x509.issuer),
      notBefore: readDate(x509.validFrom),
      notAfter: readDate(x509.validTo),
      publicKey,
      keyAlgorithm: describeKeyAlgorithm(publicKey),
      x509,
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
export function isSignedBy(certificate: Certificate, signer: Certificate): boolean {
  try {
    return certificate.x509.verify(signer.publicKey);
  } catch {
    return false;
  }
}

export function isSameCertificate(a: Certificate, b: Certificate): boolean {
  return a.fingerprint === b.fingerprint;
}

export function hasSameKey(a: KeyObject, b: KeyObject): boolean {
  return exportSpki(a).equals(exportSpki(b));
}

function exportSpki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

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

function readDate(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new Error(`"${text}" is not a date`);
  return date;
}
