import { createSecureContext, type SecureContext } from 'node:tls';
import { DaprMtlsError } from '../../errors.ts';
import type { ClientCertificate, TlsSettings } from '../kubeconfig/access.ts';

/** @throws DaprMtlsError `cluster.credentials` where the pieces are damaged or do not belong together */
export function secureContextOf(tls: TlsSettings, login: ClientCertificate | undefined): SecureContext {
  const ca = tls.ca ?? tls.machineRoots;
  try {
    return createSecureContext({ ...(ca && { ca }), ...(login && { cert: login.certificate, key: login.key }) });
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException;
    throw new DaprMtlsError('cluster.credentials', {
      message: code.includes('MISMATCH')
        ? 'the client certificate and the client key do not belong together'
        : `the certificates of the kubeconfig cannot be used (${code || 'damaged'})`,
      hint: 'Get certificate-authority, client-certificate and client-key from your cluster anew.',
    });
  }
}
