import { DaprMtlsError } from '../../errors.ts';
import type { Access, Credentials, TlsSettings } from './access.ts';
import { readCredentialFile } from './credential-file.ts';
import type { ClusterEntry, UserEntry } from './document.ts';
import { findKubeconfig } from './find.ts';
import { impersonationHeaders } from './impersonation.ts';
import { fixedCredentials } from './login.ts';
import { type Selection, selectContext } from './select.ts';
import { readServerUrl } from './server-url.ts';
import type { Surroundings } from './surroundings.ts';

export interface AccessRequest {
  /** `--context`; undefined: the current one. */
  readonly context: string | undefined;
  /** `--kubeconfig`. */
  readonly kubeconfig: string | undefined;
}

/**
 * The way into a cluster: the kubeconfig that was named, those of the environment, or the service
 * account of the pod that this runs in. Never an address that nobody has written down.
 * @throws DaprMtlsError `cluster.kubeconfig`, `cluster.credentials`
 */
export async function resolveAccess(
  { context, kubeconfig }: AccessRequest,
  surroundings: Surroundings,
): Promise<Access> {
  const { document, files } = await findKubeconfig(kubeconfig, surroundings);
  if (document) return accessOf(selectContext(document, context, files), surroundings);
  const { inClusterAccess } = await import('./in-cluster.ts');
  const inCluster = context === undefined && kubeconfig === undefined ? inClusterAccess(surroundings) : undefined;
  if (inCluster) return inCluster;
  throw nothingFound(files, context);
}

async function accessOf(selection: Selection, surroundings: Surroundings): Promise<Access> {
  const { name, context, cluster, user } = selection;
  const tls = readTls(cluster);
  const url = readServerUrl(cluster.server, speaksTls(tls, user), cluster.file);
  const needsRoots = url.protocol === 'https:' && !tls.ca && !tls.insecure;
  return {
    address: { context: name, server: withoutSlash(url), namespace: context.namespace },
    url,
    tls: needsRoots
      ? { ...tls, machineRoots: (await import('./machine-roots.ts')).machineRoots(surroundings.env) }
      : tls,
    proxyUrl: await proxyOf(url, cluster, surroundings),
    headers: impersonationHeaders(user),
    credentials: await credentialsOf(selection, tls, surroundings),
  };
}

/** Whether anything of it is set, so that an address without a scheme is https. */
function speaksTls({ ca, insecure }: TlsSettings, user: UserEntry | undefined): boolean {
  return insecure || [ca, user?.clientCertificate, user?.clientCertificateData].some((part) => part !== undefined);
}

/** Looked at more closely only where somebody has set something. */
async function proxyOf(url: URL, { proxyUrl }: ClusterEntry, { env }: Surroundings): Promise<URL | undefined> {
  const isSet = proxyUrl || env.HTTPS_PROXY || env.https_proxy || env.HTTP_PROXY || env.http_proxy;
  return isSet ? (await import('./proxy.ts')).proxyFor(url, proxyUrl, env) : undefined;
}

/** What stands in the file comes before a login program, and that before an auth-provider, as in client-go. */
async function credentialsOf(
  { cluster, context, user }: Selection,
  tls: TlsSettings,
  surroundings: Surroundings,
): Promise<Credentials> {
  const isFixed = user?.token !== undefined || user?.tokenFile !== undefined || user?.username !== undefined;
  if (user?.exec && !isFixed) {
    const { execCredentials } = await import('./exec-plugin.ts');
    return execCredentials(user.exec, user.file, describeCluster(cluster, tls), surroundings);
  }
  if (user?.authProvider && !isFixed) {
    const { providerCredentials } = await import('./auth-provider.ts');
    return providerCredentials(user.authProvider, context.user, user.file, surroundings);
  }
  return fixedCredentials(user, surroundings.now());
}

function describeCluster(cluster: ClusterEntry, { ca }: TlsSettings) {
  return {
    server: cluster.server,
    'tls-server-name': cluster.tlsServerName,
    'insecure-skip-tls-verify': cluster.insecureSkipTlsVerify || undefined,
    'certificate-authority-data': ca?.toString('base64'),
    'proxy-url': cluster.proxyUrl,
    config: cluster.execConfig,
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

function nothingFound(files: readonly string[], context: string | undefined): DaprMtlsError {
  const where = files.join(', ');
  return new DaprMtlsError('cluster.kubeconfig', {
    message:
      context === undefined
        ? `there is no way into a cluster: no kubeconfig in ${where}, and this is no pod with a service account`
        : `there is no context "${context}": no kubeconfig in ${where}`,
    hint: 'Name a kubeconfig with --kubeconfig FILE or KUBECONFIG. For a directory instead of a cluster: --dir DIR.',
  });
}
