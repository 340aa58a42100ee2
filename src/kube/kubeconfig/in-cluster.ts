import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Access } from './access.ts';
import { readCredentialFile } from './credential-file.ts';
import { tokenFileCredentials } from './login.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * The way in for a pod: undefined where this is none, or one without a service account.
 * @throws DaprMtlsError `cluster.credentials`
 */
export function inClusterAccess({ env, serviceAccountDir }: Surroundings): Access | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  const tokenFile = join(serviceAccountDir, 'token');
  if (!host || !port || !existsSync(tokenFile)) return undefined;
  const url = new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`);
  return {
    address: { context: undefined, server: url.origin, namespace: readNamespace(env, serviceAccountDir) },
    url,
    tls: {
      ca: readCredentialFile(join(serviceAccountDir, 'ca.crt'), 'the service account'),
      serverName: undefined,
      insecure: false,
    },
    proxyUrl: undefined,
    headers: {},
    credentials: tokenFileCredentials(tokenFile),
  };
}

function readNamespace(env: Surroundings['env'], folder: string): string | undefined {
  if (env.POD_NAMESPACE) return env.POD_NAMESPACE;
  const file = join(folder, 'namespace');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() || undefined : undefined;
}
