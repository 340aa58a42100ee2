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

const hourMs = 3_600_000;

/** Certificates are valid for one day from an hour ago: longer than any test run. */
export function makeAuthority(now: Date = new Date()): Authority {
  const key = newKey();
  const subject = commonName('dapr-mtls test cluster');
  const validity = {
    notBefore: new Date(now.getTime() - hourMs),
    notAfter: new Date(now.getTime() + 24 * hourMs),
  };
  const issue = (to: Buffer, extensions: readonly Buffer[]): Identity => {
    const ownKey = newKey();
    const der = forge({
      ...validity,
      serial: newSerial(),
      subject: to,
      issuer: subject,
      key: ownKey,
      signer: key,
      extensions: [keyUsage('digitalSignature'), ...extensions],
    });
    return {
      certificate: encodePem('CERTIFICATE', der),
      key: ownKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    };
  };
  const root = forge({
    ...validity,
    serial: newSerial(),
    subject,
    issuer: subject,
    key,
    signer: key,
    extensions: [basicConstraints(true), keyUsage('keyCertSign')],
  });
  return {
    certificate: encodePem('CERTIFICATE', root),
    issueClient: (user, groups = []) => {
      const organizations = groups.map((value): Attribute => ({ type: 'organization', as: 'utf8', value }));
      return issue(name(...organizations, { type: 'commonName', as: 'utf8', value: user }), [
        extendedKeyUsage('client'),
      ]);
    },
    issueServer: (address) => {
      if (!isIPv4(address)) throw new Error(`${address} is no IPv4 address`);
      const bytes = Buffer.from(address.split('.').map(Number));
      return issue(commonName(address), [extendedKeyUsage('server'), alternativeName('ip', bytes)]);
    },
  };
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
