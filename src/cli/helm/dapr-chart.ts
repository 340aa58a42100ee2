import { DaprMtlsError } from '../../errors.ts';

const officialRepository = 'https://dapr.github.io/helm-charts';

/**
 * Dapr's own chart as words for helm, from the repository that the official CLI would take it from.
 * @throws DaprMtlsError `usage.invalid` where that needs a password
 */
export function daprChart(env: NodeJS.ProcessEnv): string[] {
  const repository = env.DAPR_HELM_REPO_URL || officialRepository;
  if (env.DAPR_HELM_REPO_USERNAME) {
    throw new DaprMtlsError('usage.invalid', {
      message: 'DAPR_HELM_REPO_USERNAME is set, and a password must not stand on the command line of helm',
      hint: `Log in once (\`helm repo add my-dapr ${repository} --username NAME --password-stdin\`), then give --helm-chart my-dapr/dapr.`,
    });
  }
  return repository.startsWith('oci://') ? [`${repository.replace(/\/$/, '')}/dapr`] : ['dapr', '--repo', repository];
}
