import { readFileSync } from 'node:fs';

/** Where Go's crypto/x509 looks on Linux, in its order. */
const files = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/**
 * The authorities that this machine trusts, for a server whose kubeconfig names none. Node has a list
 * of its own and would not know a company's authority. Undefined: Node's list, and NODE_EXTRA_CA_CERTS.
 */
export function machineRoots(env: Readonly<Record<string, string | undefined>>): Buffer | undefined {
  const candidates = env.SSL_CERT_FILE ? [env.SSL_CERT_FILE] : process.platform === 'linux' ? files : [];
  for (const file of candidates) {
    try {
      return readFileSync(file);
    } catch {
      // Each distribution has one of them.
    }
  }
  return undefined;
}
