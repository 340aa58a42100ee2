import { DaprMtlsError } from '../../errors.ts';

/**
 * An address without a scheme is https where TLS is spoken of and http where it is not, as in
 * client-go's DefaultServerURL.
 * @throws DaprMtlsError `cluster.kubeconfig`
 */
export function readServerUrl(server: string, hasTls: boolean, file: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(server) ? server : `${hasTls ? 'https' : 'http'}://${server}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (server && url && (url.protocol === 'https:' || url.protocol === 'http:')) return url;
  throw new DaprMtlsError('cluster.kubeconfig', {
    message: server ? `${file}: the server "${server}" is no address` : `${file}: the cluster has no server`,
    hint: 'Write it as https://HOST:PORT: kubectl config set-cluster NAME --server=https://HOST:PORT',
  });
}
