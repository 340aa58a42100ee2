import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { encodePem } from '../../src/pki/pem.ts';
import {
  type Attribute,
  alternativeName,
  basicConstraints,
  commonName,
  extendedKeyUsage,
  forge,
  keyUsage,
  name,
} from '../support/forged-certificate.ts';

/** A certificate and its key, PEM. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

/** The certificate authority of one cluster: of its API server, its users and its webhooks. */
export interface Authority {
  readonly certificate: string;
  /** For clients: the common name is the user, the organizations are the groups (Kubernetes' reading). */
  issueClient(user: string, groups?: readonly string[]): Identity;
  /** For a server on an IPv4 address. */
  issueServer(address: string): Identity;
}

/** Who signs: a name, as DER, and a key. */
export interface Signer {
  readonly name: Buffer;
  readonly key: KeyObject;
}

/** The authority's own certificate and all of its own are valid for a day: longer than any test run. */
export function makeAuthority(): Authority {
  const self: Signer = { name: commonName('dapr-mtls test cluster'), key: newKey() };
  const root = issue(self, self.name, self.key, [basicConstraints(true), keyUsage('keyCertSign')]);
  return {
    certificate: root,
    issueClient: (user, groups = []) => {
      const organizations = groups.map((value): Attribute => ({ type: 'organization', as: 'utf8', value }));
      const subject = name(...organizations, { type: 'commonName', as: 'utf8', value: user });
      return issueLeaf(self, subject, [extendedKeyUsage('client')]);
    },
    issueServer: (address) => issueServer(address, self),
  };
}

/** For a server on an IPv4 address. */
export function issueServer(address: string, signer: Signer): Identity {
  if (!isIPv4(address)) throw new Error(`${address} is no IPv4 address`);
  const bytes = Buffer.from(address.split('.').map(Number));
  return issueLeaf(signer, commonName(address), [extendedKeyUsage('server'), alternativeName('ip', bytes)]);
}

function issueLeaf(signer: Signer, subject: Buffer, extensions: readonly Buffer[]): Identity {
  const key = newKey();
  const certificate = issue(signer, subject, key, [keyUsage('digitalSignature'), ...extensions]);
  return { certificate, key: key.export({ type: 'pkcs8', format: 'pem' }) as string };
}

const hourMs = 3_600_000;

function issue(signer: Signer, subject: Buffer, key: KeyObject, extensions: readonly Buffer[]): string {
  const now = Date.now();
  const der = forge({
    notBefore: new Date(now - hourMs),
    notAfter: new Date(now + 24 * hourMs),
    serial: newSerial(),
    subject,
    issuer: signer.name,
    key,
    signer: signer.key,
    extensions,
  });
  return encodePem('CERTIFICATE', der);
}

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
}

/** Positive, and without a leading zero byte, as DER has it. */
function newSerial(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}
