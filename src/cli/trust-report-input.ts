import { auditSidecars } from '../app/audit/audit.ts';
import type { AuditReport } from '../app/audit/report.ts';
import { describeCluster } from '../app/cluster-report.ts';
import type { TrustInput } from '../app/trust-report/input.ts';
import { DaprMtlsError } from '../errors.ts';
import { findControlPlane } from '../kube/dapr/find.ts';
import type { Cluster } from '../kube/port.ts';
import { gatherAudit } from './audit-input.ts';
import { viewConfiguration } from './change-configuration.ts';
import { describeFiles } from './inspect-source.ts';
import { chooseStore, type StoreFlags } from './open-store.ts';
import { openPublicReader } from './public-bundle.ts';
import { surveyStore } from './survey.ts';
import { withCluster } from './with-cluster.ts';

type ControlPlaneFlags = ReportFlags & { readonly namespace: string };

type ReportFlags = StoreFlags & { readonly config: string | undefined; readonly 'sentry-address': string | undefined };

/**
 * What there is to be told of one directory or one cluster. What this user may not look at is a
 * refusal, and the rest is gathered all the same.
 * @throws DaprMtlsError where nothing can be told: `cluster.*`, `dapr.missing`, `store.missing`, `usage.store`
 */
export async function gatherTrust(flags: ReportFlags, env: NodeJS.ProcessEnv, at: Date): Promise<TrustInput> {
  return chooseStore(flags, env, 'read').kind === 'cluster'
    ? await gatherCluster(flags, env, at)
    : await gatherDirectory(flags, env);
}

async function gatherDirectory(flags: ReportFlags, env: NodeJS.ProcessEnv): Promise<TrustInput> {
  const survey = await surveyStore(flags, env);
  const { location } = survey;
  return {
    name: location.name,
    kind: 'directory',
    cluster: null,
    ...describeStore(survey),
    bundle: { found: survey },
    settings: await attempt(viewConfiguration(flags, env)),
    sidecars: undefined,
  };
}

function gatherCluster(flags: ReportFlags, env: NodeJS.ProcessEnv, at: Date): Promise<TrustInput> {
  return withCluster({ ...flags, kubernetes: true }, env, async (cluster) => {
    const namespace = await findControlPlane(cluster, flags.namespace);
    const there = { ...flags, namespace };
    const [bundle, settings, sidecars] = await Promise.all([
      attempt(surveyStore(there, env)),
      attempt(viewConfiguration(there, env)),
      attempt(lookAtSidecars(cluster, there, at)),
    ]);
    const store = 'found' in bundle ? bundle.found : await lookAtPublicParts(cluster, there);
    if ('refusal' in bundle) assertSomethingSeen(bundle.refusal, store !== undefined || 'found' in sidecars);
    const { context, server } = cluster.location;
    return {
      name: context ?? server,
      kind: 'cluster',
      cluster: describeCluster(cluster.location, namespace),
      ...describeStore(store),
      bundle,
      settings,
      sidecars,
    };
  });
}

async function lookAtSidecars(cluster: Cluster, there: ControlPlaneFlags, at: Date): Promise<AuditReport> {
  const whole = { ...there, against: undefined, 'only-namespace': undefined, 'all-pods': false };
  return auditSidecars(await gatherAudit(cluster, whole), at);
}

/** Also whom the Secret is closed to can be told much; any other error is that of the whole cluster. */
function assertSomethingSeen(refusal: DaprMtlsError, sawAnythingElse: boolean): void {
  if (refusal.code !== 'cluster.forbidden' || !sawAnythingElse) throw refusal;
}

/** Of who may not read the Secret: the anchors that everybody may, and the issuer that Sentry shows. */
async function lookAtPublicParts(cluster: Cluster, there: ControlPlaneFlags): Promise<TrustInput['store']> {
  const { namespace, 'sentry-address': sentryAddress } = there;
  const { location, read } = await openPublicReader(cluster, { namespace, sentryAddress });
  const stored = await attempt(read());
  return 'found' in stored ? { stored: stored.found, location } : undefined;
}

function describeStore(store: TrustInput['store']): Pick<TrustInput, 'store' | 'files'> {
  const files = store && describeFiles(store.stored.files, store.location);
  return { store, files: files && files.certificateFiles.length > 0 ? files : undefined };
}

type Attempt<Found> = { readonly found: Found } | { readonly refusal: DaprMtlsError };

async function attempt<Found>(work: Promise<Found>): Promise<Attempt<Found>> {
  try {
    return { found: await work };
  } catch (error) {
    if (error instanceof DaprMtlsError) return { refusal: error };
    throw error;
  }
}
