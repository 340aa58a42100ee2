import { DaprMtlsError } from '../../errors.ts';
import type { Access, Credentials, TlsSettings } from './access.ts';
import { readCredentialFile } from './credential-file.ts';
import type { ClusterEntry } from './document.ts';
import { findKubeconfig, type Surroundings } from './find.ts';
import { impersonationHeaders } from './impersonation.ts';
import { fixedCredentials } from './login.ts';
import { type Selection, selectContext } from './select.ts';
import { readServerUrl } from './server-url.ts';

export interface AccessRequest {
  /** `--context`; undefined: the current one. */
  readonly context: string | undefined;
  /** `--kubeconfig`. */
  readonly kubeconfig: string | undefined;
  readonly now: Date;
}

/**
 * The way into a cluster: the kubeconfig that was named, those of the environment, or the service
 * account of the pod that this runs in. Never an address that nobody has written down.
 * @throws DaprMtlsError `cluster.kubeconfig`, `cluster.credentials`
 */
export async function resolveAccess(request: AccessRequest, surroundings: Surroundings): Promise<Access> {
  const { document, files } = await findKubeconfig(request.kubeconfig, surroundings);
  if (document) return accessOf(selectContext(document, request.context, files), request.now, surroundings);
  throw nothingFound(files);
}

async function accessOf(selection: Selection, now: Date, _surroundings: Surroundings): Promise<Access> {
  const { name, context, cluster, user } = selection;
  const credentials: Credentials = fixedCredentials(user, now);
  const tls = readTls(cluster);
  const hasTls = tls.ca !== undefined || tls.insecure || user?.clientCertificate !== undefined;
  const url = readServerUrl(cluster.server, hasTls || user?.clientCertificateData !== undefined, cluster.file);
  return {
    address: { context: name, server: withoutSlash(url), namespace: context.namespace },
    url,
    tls,
    proxyUrl: undefined,
    headers: impersonationHeaders(user),
    credentials,
  };
}

function withoutSlash({ origin, pathname }: URL): string {
  return origin + pathname.replace(/\/+$/, '');
}

function readTls(cluster: ClusterEntry): TlsSettings {
  const { certificateAuthority: file, certificateAuthorityData: data, insecureSkipTlsVerify: insecure } = cluster;
  const ca = data ?? (file === undefined ? undefined : readCredentialFile(file, 'certificate-authority'));
  if (ca && insecure) {
    throw new DaprMtlsError('cluster.kubeconfig', {
      message: `${cluster.file}: the cluster has a certificate-authority and insecure-skip-tls-verify`,
      hint: 'They contradict each other: remove insecure-skip-tls-verify.',
    });
  }
  if (ca && !ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw new DaprMtlsError('cluster.credentials', {
      message: `${data ? `${cluster.file}: certificate-authority-data` : file} holds no certificate`,
      hint: 'It has to be PEM, beginning with -----BEGIN CERTIFICATE-----.',
    });
  }
  return { ca, serverName: cluster.tlsServerName, insecure };
}

function nothingFound(files: readonly string[]): DaprMtlsError {
  return new DaprMtlsError('cluster.kubeconfig', {
    message: `there is no way into a cluster: nothing in ${files.join(', ')}, and this is no pod`,
    hint: 'Name a kubeconfig with --kubeconfig FILE or KUBECONFIG. For a directory instead of a cluster: --dir DIR.',
  });
}
