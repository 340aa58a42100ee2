import { generateKeyPairSync, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { encodeTlv } from '../../../src/pki/der.ts';
import {
  authorityKeyId,
  basicConstraints,
  extendedKeyUsage,
  extension,
  forge,
  keyUsage,
  name,
  type Purpose,
  sequence,
  subjectKeyId,
} from '../forged-certificate.ts';

const dayMs = 86_400_000;

export interface Authority {
  readonly certificatePem: string;
  readonly key: KeyObject;
  readonly subject: Buffer;
  readonly keyId: Buffer;
}

export interface KeyPair {
  readonly certificatePem: string;
  readonly keyPem: string;
}

export function makeAuthority(commonName: string): Authority {
  const key = newKey();
  const keyId = randomBytes(20);
  const subject = distinguishedName(commonName);
  const der = forge({
    subject,
    issuer: subject,
    key,
    signer: key,
    serial: newSerial(),
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + 365 * dayMs),
    extensions: [basicConstraints(true), keyUsage('digitalSignature', 'keyCertSign'), subjectKeyId(keyId)],
  });
  return { certificatePem: toPem(der), key, subject, keyId };
}

export interface LeafWishes {
  readonly purpose: Purpose;
  /** Names and addresses of a server. */
  readonly hosts?: readonly string[];
  /** Groups of a user, as Kubernetes reads them from O. */
  readonly groups?: readonly string[];
  readonly notAfter?: Date;
}

export function issueLeaf(authority: Authority, commonName: string, wishes: LeafWishes): KeyPair {
  const { purpose, hosts = [], groups = [], notAfter = new Date(Date.now() + 30 * dayMs) } = wishes;
  const key = newKey();
  const der = forge({
    subject: distinguishedName(commonName, groups),
    issuer: authority.subject,
    key,
    signer: authority.key,
    serial: newSerial(),
    notBefore: new Date(Math.min(Date.now(), notAfter.getTime()) - dayMs),
    notAfter,
    extensions: [
      basicConstraints(false),
      keyUsage('digitalSignature'),
      extendedKeyUsage(purpose),
      authorityKeyId(authority.keyId),
      ...(hosts.length > 0 ? [alternativeNames(hosts)] : []),
    ],
  });
  return { certificatePem: toPem(der), keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

function alternativeNames(hosts: readonly string[]): Buffer {
  const names = hosts.map((host) =>
    isIP(host) ? encodeTlv(0x87, Buffer.from(host.split('.').map(Number))) : encodeTlv(0x82, Buffer.from(host)),
  );
  return extension('subjectAlternativeName', sequence(...names));
}

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
}

function newSerial(): Buffer {
  return Buffer.concat([Buffer.from([0x40]), randomBytes(15)]);
}

function distinguishedName(commonName: string, groups: readonly string[] = []): Buffer {
  return name(...groups.map((value) => ({ type: 'organization', as: 'utf8', value }) as const), {
    type: 'commonName',
    as: 'utf8',
    value: commonName,
  });
}

function toPem(der: Buffer): string {
  return new X509Certificate(der).toString();
}
