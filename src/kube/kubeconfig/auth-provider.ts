import { DaprMtlsError } from '../../errors.ts';
import type { Credentials } from './access.ts';
import type { AuthProviderEntry } from './document.ts';
import { oidcCredentials } from './oidc.ts';
import type { Surroundings } from './surroundings.ts';

/** What took the place of the providers that kubectl dropped in 1.26. */
const successors: Readonly<Record<string, string>> = {
  gcp: 'Install gke-gcloud-auth-plugin, then: gcloud container clusters get-credentials CLUSTER',
  azure: 'Install kubelogin, then: kubelogin convert-kubeconfig',
};

/** @throws DaprMtlsError `cluster.kubeconfig` for a provider that there is no more */
export function providerCredentials(
  { name, config }: AuthProviderEntry,
  user: string,
  file: string,
  surroundings: Surroundings,
): Credentials {
  if (name === 'oidc') return oidcCredentials(config, user, file, surroundings);
  throw new DaprMtlsError('cluster.kubeconfig', {
    message: `${file}: the user "${user}" logs in by the auth-provider "${name}", which kubectl has dropped`,
    hint:
      successors[name] ??
      'Get a new kubeconfig from your cluster, with a token, a certificate or a login program (exec).',
  });
}
