import { describeFailedSite } from '../app/trust-report/judge.ts';
import type { SiteReport } from '../app/trust-report/report.ts';
import type { ClustersFlags } from './clusters-flags.ts';

/**
 * Every cluster that the flags name, side by side; one that is away is a site, too.
 * @throws DaprMtlsError `cluster.kubeconfig`, `usage.invalid`
 */
export async function lookAtSites(
  flags: ClustersFlags & { readonly kubeconfig: string | undefined; readonly quiet: boolean },
  env: NodeJS.ProcessEnv,
  look: (context: string) => Promise<SiteReport>,
): Promise<SiteReport[]> {
  const { lookAtEach } = await import('./several-clusters.ts');
  const outcomes = await lookAtEach('dapr-mtls report', flags, env, async (context) => {
    const report = await look(context);
    return { report, exitCode: report.exitCode };
  });
  return outcomes.map((outcome) =>
    'error' in outcome ? describeFailedSite(outcome.context, outcome.exitCode, outcome.error) : outcome.report,
  );
}
