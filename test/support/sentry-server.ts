import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { readCertificate } from '../../src/pki/certificate.ts';
import { decodeAsGo, encodePem } from '../../src/pki/pem.ts';
import {
  alternativeName,
  authorityKeyId,
  extendedKeyUsage,
  type Forgery,
  forge,
  keyUsage,
  sequence,
} from './forged-certificate.ts';

export interface SentryServer {
  /** `127.0.0.1:<port>` */
  readonly address: string;
  /** Serves by another bundle from now on. */
  use(files: BundleFiles): void;
  stop(): Promise<void>;
}

export interface SentryWishes {
  /** Of the SPIFFE ID; Sentry's own unless told. */
  readonly id?: string;
  readonly oddity?: Partial<Forgery>;
  readonly at?: Date;
}

export const sentryId = 'spiffe://cluster.local/ns/dapr-system/dapr-sentry';

/** TLS as Sentry serves it: a leaf of its own making behind the issuer chain, HTTP/2, and no client certificate. */
export async function startSentryServer(files: BundleFiles, wishes: SentryWishes = {}): Promise<SentryServer> {
  const server = createServer({ ...identityOf(files, wishes), ALPNProtocols: ['h2'] }, (socket) => {
    socket.on('error', () => undefined);
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    use: (next) => server.setSecureContext(identityOf(next, wishes)),
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** PEM: the leaf with the chain behind it, and its key. */
export function identityOf(files: BundleFiles, { id = sentryId, oddity = {}, at = new Date() }: SentryWishes = {}) {
  const [issuerBlock] = decodeAsGo(files.issuerChain);
  if (!issuerBlock) throw new Error('there is no issuer');
  const { subjectDer, subjectKeyId } = readCertificate(issuerBlock.der).detail;
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const leaf = forge({
    subject: sequence(),
    issuer: subjectDer,
    key,
    signer: createPrivateKey(files.issuerKey),
    notBefore: new Date(at.getTime() - 60_000),
    notAfter: new Date(at.getTime() + 86_400_000),
    extensions: [
      keyUsage('digitalSignature'),
      extendedKeyUsage('server', 'client'),
      ...(subjectKeyId ? [authorityKeyId(subjectKeyId)] : []),
      alternativeName('uri', id, true),
    ],
    ...oddity,
  });
  const pem = encodePem('CERTIFICATE', leaf);
  return { cert: `${pem}${files.issuerChain}`, key: key.export({ type: 'pkcs8', format: 'pem' }) as string, leaf };
}
