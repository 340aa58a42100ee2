// reflect-metadata comes first: the container inside @peculiar/x509 needs it at load.
import 'reflect-metadata';
import type { KeyObject } from 'node:crypto';
import { Crypto } from '@peculiar/webcrypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { extendedKeyUsages } from './extensions.ts';
import type { CertificateProfile, NameAttribute } from './profiles.ts';

/** A certificate as it is to be: everything decided, nothing signed yet. */
export interface CertificateTemplate {
  readonly profile: CertificateProfile;
  /** 128 random bits, positive, hexadecimal. */
  readonly serial: string;
  /** Attributes, or the exact DER of an existing name. */
  readonly subject: readonly NameAttribute[] | Buffer;
  readonly issuer: readonly NameAttribute[] | Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly subjectKey: KeyObject;
  readonly subjectKeyId: Buffer;
  readonly authorityKeyId: Buffer | undefined;
  readonly dnsName: string | undefined;
  readonly pathLength: number | undefined;
}

const crypto = new Crypto();

/** Signs the template and returns the certificate's DER; it is not validated here. */
export async function signTemplate(template: CertificateTemplate, signerKey: KeyObject): Promise<Buffer> {
  const algorithm = signingAlgorithm(signerKey);
  const signingKey = await crypto.subtle.importKey('pkcs8', exportKey(signerKey, 'pkcs8'), algorithm, false, ['sign']);
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: template.serial,
      subject: toName(template.subject),
      issuer: toName(template.issuer),
      notBefore: template.notBefore,
      notAfter: template.notAfter,
      publicKey: exportKey(template.subjectKey, 'spki'),
      signingKey,
      signingAlgorithm: algorithm,
      extensions: extensionsOf(template),
    },
    crypto,
  );
  return Buffer.from(certificate.rawData);
}

function extensionsOf(template: CertificateTemplate) {
  const { profile, authorityKeyId, subjectKeyId, pathLength, dnsName } = template;
  const usage = profile.keyUsage.reduce((flags, name) => flags | KeyUsageFlags[name as keyof typeof KeyUsageFlags], 0);
  return [
    new BasicConstraintsExtension(true, pathLength, true),
    new KeyUsagesExtension(usage, true),
    new ExtendedKeyUsageExtension(profile.extendedKeyUsage.map((name) => extendedKeyUsages[name])),
    new SubjectKeyIdentifierExtension(subjectKeyId.toString('hex')),
    ...(authorityKeyId ? [new AuthorityKeyIdentifierExtension(authorityKeyId.toString('hex'))] : []),
    ...(dnsName ? [new SubjectAlternativeNameExtension([{ type: 'dns', value: dnsName }])] : []),
  ];
}

function toName(name: readonly NameAttribute[] | Buffer): Name {
  return Buffer.isBuffer(name) ? new Name(name) : new Name(name.map(({ type, value }) => ({ [type]: [value] })));
}

function exportKey(key: KeyObject, type: 'pkcs8' | 'spki'): ArrayBuffer {
  const der = type === 'pkcs8' ? key.export({ type, format: 'der' }) : key.export({ type, format: 'der' });
  return new Uint8Array(der).buffer;
}

/** The names that WebCrypto has for what a key signs with. */
interface SigningAlgorithm {
  readonly name: string;
  readonly namedCurve?: string;
  readonly hash?: string;
}

function signingAlgorithm(key: KeyObject): SigningAlgorithm {
  if (key.asymmetricKeyType === 'ed25519') return { name: 'Ed25519' };
  if (key.asymmetricKeyType === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const curve = ellipticCurves[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (!curve) throw new TypeError(`no signing algorithm for a key of type ${key.asymmetricKeyType}`);
  return { name: 'ECDSA', ...curve };
}

const ellipticCurves: Record<string, { namedCurve: string; hash: string }> = {
  prime256v1: { namedCurve: 'P-256', hash: 'SHA-256' },
  secp384r1: { namedCurve: 'P-384', hash: 'SHA-384' },
  secp521r1: { namedCurve: 'P-521', hash: 'SHA-512' },
};
