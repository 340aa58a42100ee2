import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { DaprMtlsError } from '../errors.ts';
import { type Certificate, hasSameKey, isSignedBy, readCertificate } from './certificate.ts';
import { readChildren, readExactly, tags } from './der.ts';
import type { CertificateDetail } from './extensions.ts';
import { profiles, subjectOf } from './profiles.ts';
import type { CertificateTemplate } from './sign.ts';

/** A certificate authority that may sign: its certificate and its key. */
export interface Authority {
  readonly certificate: Certificate;
  readonly key: KeyObject;
}

export interface IssueContext {
  readonly trustDomain: string;
  /** Backdated by the allowed clock skew, so that peers whose clock is late accept the chain. */
  readonly notBefore: Date;
  /** 128 random bits, positive, hexadecimal. */
  readonly newSerial: () => string;
}

/** A new self-signed root. @throws DaprMtlsError `trust.impossible` */
export async function issueRoot(key: KeyObject, notAfter: Date, context: IssueContext): Promise<Authority> {
  const subjectKeyId = keyIdentifier(key);
  const subject = subjectOf('root', context.trustDomain);
  return issue(key, key, {
    ...base(context, notAfter),
    profile: profiles.root,
    subject,
    issuer: subject,
    subjectKeyId,
    authorityKeyId: subjectKeyId,
    pathLength: undefined,
  });
}

/**
 * The old root anew on its own key. The bytes of the name and the key identifier are copied: Go
 * finds parents by the exact name, and OpenSSL by the identifier, so either root verifies what
 * the other signed.
 * @throws DaprMtlsError `trust.impossible`
 */
export async function renewRoot(
  old: Certificate,
  key: KeyObject,
  notAfter: Date,
  context: IssueContext,
): Promise<Authority> {
  const { detail } = old;
  const subjectKeyId = detail.subjectKeyId ?? keyIdentifier(key);
  return issue(key, key, {
    ...base(context, notAfter),
    profile: profiles.root,
    subject: detail.subjectDer,
    issuer: detail.subjectDer,
    subjectKeyId,
    authorityKeyId: subjectKeyId,
    pathLength: undefined,
  });
}

/** An issuer under the root; it ends no later than the root does. @throws DaprMtlsError `trust.impossible` */
export async function issueIssuer(
  root: Authority,
  key: KeyObject,
  notAfter: Date,
  context: IssueContext,
  pathLength?: number,
): Promise<Authority> {
  const signer = root.certificate.detail;
  return issue(
    key,
    root.key,
    {
      ...base(context, earlier(notAfter, root.certificate.notAfter)),
      profile: profiles.issuer,
      subject: subjectOf('issuer', context.trustDomain),
      issuer: signer.subjectDer,
      subjectKeyId: keyIdentifier(key),
      authorityKeyId: signer.subjectKeyId,
      pathLength,
    },
    root.certificate,
  );
}

/**
 * The bridge: the new root cross-signed by the old issuer, so that who holds only the old anchor
 * finds a way from the new issuer to it (RFC 4949 "cross-certificate").
 * @throws DaprMtlsError `trust.impossible`
 */
export async function issueBridge(
  oldIssuer: Authority,
  newRoot: Certificate,
  context: IssueContext,
): Promise<Certificate> {
  const signer = oldIssuer.certificate.detail;
  const subject = newRoot.detail;
  const bridge = await issue(
    newRoot.publicKey,
    oldIssuer.key,
    {
      ...base(context, earlier(newRoot.notAfter, oldIssuer.certificate.notAfter)),
      profile: profiles.bridge,
      notBefore: later(newRoot.notBefore, oldIssuer.certificate.notBefore),
      subject: subject.subjectDer,
      issuer: signer.subjectDer,
      subjectKeyId: subject.subjectKeyId ?? keyIdentifier(newRoot.publicKey),
      authorityKeyId: signer.subjectKeyId,
      pathLength: undefined,
    },
    oldIssuer.certificate,
  );
  return bridge.certificate;
}

function base({ newSerial, notBefore, trustDomain }: IssueContext, notAfter: Date) {
  return {
    serial: newSerial(),
    notBefore: wholeSeconds(notBefore),
    notAfter: wholeSeconds(notAfter),
    dnsName: trustDomain.length <= dnsNameLimit ? trustDomain : undefined,
  };
}

/** RFC 1035 allows a DNS name so much; a trust domain may be two characters longer (SPIFFE ID, section 2.1). */
const dnsNameLimit = 253;

type Decided = Omit<CertificateTemplate, 'subjectKey'>;

async function issue(key: KeyObject, signerKey: KeyObject, decided: Decided, signer?: Certificate): Promise<Authority> {
  if (decided.notAfter <= decided.notBefore) {
    throw new DaprMtlsError('trust.impossible', {
      message: `the certificate would end at ${decided.notAfter.toISOString()}, before it begins`,
      hint: 'What signs it has expired or is about to. Renew the root first: `dapr-mtls renew-certificate`.',
    });
  }
  // The signing library costs more to load than everything else together: only who signs pays.
  const { signTemplate } = await import('./sign.ts');
  const template: CertificateTemplate = { ...decided, subjectKey: toPublic(key) };
  const certificate = readCertificate(await signTemplate(template, signerKey));
  const difference = findDifference(template, certificate, certificate.detail, signer ?? certificate);
  if (difference === undefined) return { certificate, key };
  throw new DaprMtlsError('trust.impossible', {
    message: `the signed certificate is not what was asked for: ${difference}`,
    hint: 'Nothing was written. Please report this with the kind of certificate it was.',
  });
}

/** What came back from the signer is read by other code than made it, and compared. */
function findDifference(
  template: CertificateTemplate,
  certificate: Certificate,
  detail: CertificateDetail,
  signer: Certificate,
): string | undefined {
  const expectations: [string, boolean][] = [
    ['signature', isSignedBy(certificate, signer)],
    ['key', hasSameKey(certificate.publicKey, template.subjectKey)],
    ['serial number', BigInt(`0x${certificate.serial}`) === BigInt(`0x${template.serial}`)],
    [
      'validity',
      sameInstant(certificate.notBefore, template.notBefore) && sameInstant(certificate.notAfter, template.notAfter),
    ],
    ['bytes of the subject', !Buffer.isBuffer(template.subject) || detail.subjectDer.equals(template.subject)],
    ['bytes of the issuer', !Buffer.isBuffer(template.issuer) || detail.issuerDer.equals(template.issuer)],
    [
      'basic constraints',
      detail.basicConstraints?.ca === true && detail.basicConstraints.pathLength === template.pathLength,
    ],
    ['key usage', sameMembers(detail.keyUsage, template.profile.keyUsage)],
    ['subject key identifier', detail.subjectKeyId?.equals(template.subjectKeyId) ?? false],
    ['alternative name', sameMembers(detail.dnsNames, template.dnsName === undefined ? [] : [template.dnsName])],
  ];
  return expectations.find(([, holds]) => !holds)?.[0];
}

function sameInstant(a: Date, b: Date): boolean {
  return a.getTime() === b.getTime();
}

function sameMembers(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a !== undefined && a.length === b.length && a.every((member) => b.includes(member));
}

function toPublic(key: KeyObject): KeyObject {
  return key.type === 'private' ? createPublicKey(key) : key;
}

/** RFC 7093, section 2, method 1: the leftmost 160 bits of SHA-256 over the key's bits. */
function keyIdentifier(key: KeyObject): Buffer {
  const spki = toPublic(key).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(publicKeyBits(spki)).digest().subarray(0, 20);
}

function publicKeyBits(spki: Buffer): Uint8Array {
  const [, bits] = readChildren(readExactly(spki, tags.sequence).content);
  if (!bits) throw new Error('a public key without bits');
  return bits.content.subarray(1);
}

/** Certificates carry whole seconds (RFC 5280, section 4.1.2.5). */
function wholeSeconds(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 1000) * 1000);
}

function earlier(a: Date, b: Date): Date {
  return a < b ? a : b;
}

function later(a: Date, b: Date): Date {
  return a > b ? a : b;
}
