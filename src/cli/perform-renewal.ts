import { previewRenewal, type RenewInput, renew } from '../app/renew/renew.ts';
import type { RenewalReport } from '../app/renew/report.ts';
import { DaprMtlsError } from '../errors.ts';
import { assertNotRotating } from './assert-not-rotating.ts';
import type { ClusterRenewal, ClusterRenewFlags } from './renew-in-cluster.ts';
import type { Site } from './site.ts';

type Surroundings = Pick<ClusterRenewal, 'streams' | 'env' | 'typed'>;

/** Renews where the flags say, or shows what that would do. */
export async function performRenewal(
  { store, inCluster, place }: Site,
  input: RenewInput,
  flags: ClusterRenewFlags & { readonly 'dry-run': boolean },
  surroundings: Surroundings,
): Promise<RenewalReport> {
  if (!inCluster) assertNoClusterFlags(flags);
  const isDryRun = flags['dry-run'];
  if (!isDryRun) await assertNotRotating({ place, inCluster }, surroundings.streams);
  if (!inCluster) return isDryRun ? previewRenewal(store, input) : renew(store, input);
  const { previewInCluster, renewInCluster } = await import('./renew-in-cluster.ts');
  const renewal = { site: inCluster, store: inCluster.store, stop: inCluster.stop, input, flags, ...surroundings };
  return isDryRun ? previewInCluster(renewal) : renewInCluster(renewal);
}

/** @throws DaprMtlsError `usage.invalid` */
function assertNoClusterFlags(flags: ClusterRenewFlags): void {
  const mends: Partial<Record<keyof ClusterRenewFlags, string>> = {
    restart: 'Leave --restart out: a Sentry that watches the directory takes the new bundle by itself.',
    'image-variant': 'Leave --image-variant out: a directory has no images.',
    'via-helm': 'Leave --via-helm out: a directory belongs to no Helm release.',
    'output-helm-values': 'Leave --output-helm-values out: a directory belongs to no Helm release.',
    'output-manifest': 'Leave --output-manifest out: the files of the directory are what there is to commit.',
  };
  for (const [name, hint] of Object.entries(mends)) {
    const value = flags[name as keyof ClusterRenewFlags];
    if (value === undefined || value === false || value === '') continue;
    throw new DaprMtlsError('usage.invalid', { message: `--${name} is for the bundle of a cluster (-k)`, hint });
  }
}
