import { auditSidecars } from '../app/audit/audit.ts';
import { describeCluster } from '../app/cluster-report.ts';
import { describeCutOff } from '../app/renew/cut-off-sidecars.ts';
import { draftRenewal, type PlannedRenewal, type RenewInput, renew } from '../app/renew/renew.ts';
import type { RenewalReport } from '../app/renew/report.ts';
import { DaprMtlsError } from '../errors.ts';
import type { HelmRelease, OwnerFacts } from '../kube/owners/facts.ts';
import { readPods } from '../kube/pods/read-pods.ts';
import { injectedSelector } from '../kube/pods/sidecar-pod.ts';
import { isAtLeast } from '../pki/rules/context.ts';
import { ownerRemarks } from '../render/owners.ts';
import { renewalRemarks } from '../render/renewal.ts';
import type { BundleObjects } from '../store/cluster/objects.ts';
import { writeSideFiles } from '../store/cluster/side-files.ts';
import type { FoundFiles, PublishingStore } from '../store/port.ts';
import { assertUnowned, judgeOwnersOf, tellOfOwners } from './ask-owners.ts';
import type { ClusterSite } from './cluster-site.ts';
import { confirmAtTerminal } from './confirm.ts';
import { draftHandOut, type HandOutFlags, isHandedOut, tellOfFile } from './hand-out.ts';
import { type HelmUpgrade, rehearseUpgrade, storeInRelease } from './helm/upgrade.ts';
import { writeForCommit } from './helm/write-file.ts';
import type { StopSwitch } from './stop.ts';
import type { Streams } from './streams.ts';
import { watchAfterRestart } from './watch-after-restart.ts';

/** What a renewal in a cluster is told beside what every renewal is told. */
export interface ClusterRenewFlags extends HandOutFlags {
  readonly context: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly restart: boolean;
  readonly timeout: number;
  readonly settle: number;
  readonly 'image-variant': string | undefined;
  readonly 'ignore-owner': readonly string[];
  readonly 'via-helm': boolean;
  readonly 'helm-chart': string | undefined;
  readonly 'issuer-private-key': string | undefined;
  readonly yes: boolean;
  readonly quiet: boolean;
}

export interface ClusterRenewal {
  readonly store: PublishingStore;
  readonly site: ClusterSite;
  readonly input: RenewInput;
  readonly flags: ClusterRenewFlags;
  readonly streams: Streams;
  readonly env: NodeJS.ProcessEnv;
  readonly stop: StopSwitch;
  /** The command line as it was typed, for the ways out of a refusal. */
  readonly typed: string;
}

/**
 * Renews the bundle of a cluster: asks first who would undo it and who would be cut off by it, then
 * writes, has Helm store it, and restarts, as far as each was asked for.
 * @throws DaprMtlsError `store.owned`, `usage.declined`, `rollout.failed`, and those of the store
 */
export async function renewInCluster(renewal: ClusterRenewal): Promise<RenewalReport> {
  const { store, site, input, flags, streams } = renewal;
  assertImageVariant(site, flags['image-variant']);
  streams.note(
    `Dapr control plane version ${site.controlPlane.version ?? 'unknown'} detected in namespace ${site.place.namespace}\n`,
  );
  if (isHandedOut(flags)) return handOut(renewal);
  let upgrade: HelmUpgrade | undefined;
  const onPlanned = async (planned: PlannedRenewal) => {
    if (flags.restart) await assertRestartable(site);
    upgrade = await askOwners(renewal, planned);
    await askAboutCutOff(renewal, planned);
  };
  const report = await renew(store, { ...input, onPlanned });
  try {
    if (upgrade) {
      const { release, revision } = await storeInRelease(upgrade);
      streams.note(`Release ${release} holds the new bundle now, in its revision ${revision}\n`);
    }
    if (!flags.restart || report.outcome === 'not-due') return report;
    await restart(renewal);
    await watchAfterRestart(store, report, flags.settle * 1000, { streams, stop: renewal.stop });
  } catch (error) {
    // The bundle is written: where the copy lies and what was lost must not be lost with the report.
    for (const remark of renewalRemarks(report)) streams.warn(`${remark}\n`);
    throw error;
  }
  return { ...report, restarted: true };
}

/** What it would do, and who would undo it. Nothing is written. */
export async function previewInCluster({ store, site, input }: ClusterRenewal): Promise<RenewalReport> {
  const { report, draft } = await draftRenewal(store, input);
  if (!draft) return report;
  const { verdicts } = await judgeOwnersOf(site, draft.files);
  const { warnings, notes } = ownerRemarks(verdicts);
  const isHeld = draft.trust.every(({ verifies }) => verifies);
  const cutOff = isHeld ? undefined : await findCutOff(site, draft, input.now);
  return {
    ...report,
    remarks: [...report.remarks, ...(cutOff === undefined ? [] : [`Warning: ${cutOff}`]), ...warnings, ...notes],
  };
}

/** Upstream's check and its words; what an image variant would otherwise change is its chart. */
function assertImageVariant({ controlPlane }: ClusterSite, wanted: string | undefined): void {
  const found = controlPlane.imageVariant ?? '';
  if (wanted === undefined || wanted === '' || wanted === found) return;
  throw new DaprMtlsError('usage.invalid', {
    message: `certificate rotation failed: error in parsing dapr version. found image variant ${JSON.stringify(found)} is not same as provided value ${JSON.stringify(wanted)}`,
    hint: 'Leave --image-variant out: the running one is kept in any case.',
  });
}

/** @returns the upgrade that has to follow, where Helm is to store the bundle */
async function askOwners(renewal: ClusterRenewal, { files }: PlannedRenewal): Promise<HelmUpgrade | undefined> {
  const { site, flags, streams, typed } = renewal;
  const { objects, facts, verdicts } = await judgeOwnersOf(site, files);
  const viaHelm = flags['via-helm'] ? releaseToUpgrade(facts) : undefined;
  const settled = viaHelm ? ['helm'] : [];
  assertUnowned(verdicts, { ignored: [...flags['ignore-owner'], ...settled], typed, ways: 'all' });
  tellOfOwners(
    verdicts.filter(({ owner }) => !settled.includes(owner)),
    streams,
  );
  if (!viaHelm) return undefined;
  const upgrade = describeUpgrade(renewal, viaHelm, objects, files);
  await rehearseUpgrade(upgrade);
  return upgrade;
}

function releaseToUpgrade({ helm }: OwnerFacts): HelmRelease {
  if (helm.state === 'found') return helm.release;
  throw new DaprMtlsError('usage.invalid', {
    message: `--via-helm: ${helm.state === 'none' ? 'no Helm release holds this bundle' : `the Helm release was not checked: ${helm.reason}`}`,
    hint: 'Leave --via-helm out.',
  });
}

function describeUpgrade(
  { site, flags, env }: ClusterRenewal,
  release: HelmRelease,
  { secret }: BundleObjects,
  files: FoundFiles,
): HelmUpgrade {
  const { namespace, names } = site.place;
  return {
    cluster: site.cluster,
    release,
    bundle: { name: secret?.metadata.name ?? '', namespace },
    files,
    names,
    env,
    chart: flags['helm-chart'],
    kubeconfig: flags.kubeconfig,
    context: flags.context,
  };
}

/** Only where somebody is: under a bridge nobody is asked. */
async function askAboutCutOff(renewal: ClusterRenewal, planned: PlannedRenewal): Promise<void> {
  const { site, input, flags, streams } = renewal;
  if (planned.trust.every(({ verifies }) => verifies)) return;
  const cutOff = await findCutOff(site, planned, input.now);
  if (cutOff === undefined) return streams.note('No sidecar of this cluster is cut off by the new bundle\n');
  streams.warn(`Warning: ${cutOff}\n`);
  await confirmAtTerminal('Replace the bundle?', flags.yes);
}

async function findCutOff(
  site: ClusterSite,
  { files, isOldRefused }: PlannedRenewal,
  at: Date,
): Promise<string | undefined> {
  const { cluster, controlPlane, place } = site;
  const { anchors, issuerChain } = files;
  const { release } = controlPlane;
  // The injector marks its pods since 1.11.
  const isLabelled = release !== undefined && isAtLeast(release, 1, 11);
  try {
    const audit = await auditSidecars(
      {
        cluster: describeCluster(cluster.location, place.namespace),
        against: { kind: 'directory', name: 'the new bundle', anchors, issuerChain },
        scope: { namespace: null, pods: isLabelled ? 'labelled' : 'all' },
        pods: readPods(cluster, { labelSelector: isLabelled ? injectedSelector : undefined }),
      },
      at,
    );
    return describeCutOff(audit, isOldRefused);
  } catch (error) {
    if (!(error instanceof DaprMtlsError) || error.code !== 'cluster.forbidden') throw error;
    return `who is cut off was not checked: ${error.message}`;
  }
}

/** Writes what is to be committed elsewhere, and leaves the cluster alone. */
async function handOut({ store, site, input, flags, streams }: ClusterRenewal): Promise<RenewalReport> {
  const isOwn = input.request.kind === 'own';
  const withIssuerKey = flags['with-issuer-key'];
  if (!isOwn && !withIssuerKey) {
    throw new DaprMtlsError('usage.invalid', {
      message: "the new issuer's key would be lost: it stands nowhere but in what is written",
      hint: 'Say --with-issuer-key and treat the file as the secret it is, or bring certificates of your own.',
    });
  }
  const { report, draft } = await draftRenewal(store, input);
  if (!draft) return report;
  const judgement = await judgeOwnersOf(site, draft.files);
  const keySource = `it is in ${flags['issuer-private-key']}`;
  const wishes = { holdsKey: withIssuerKey, force: false };
  const undo = writeSideFiles(draft.sideFiles);
  try {
    for (const { path, text } of draftHandOut(judgement, draft.files, site.place.names, flags, keySource))
      tellOfFile(streams, writeForCommit(path, text, wishes), withIssuerKey);
  } catch (error) {
    undo();
    throw error;
  }
  return { ...report, outcome: 'handed-out' };
}

/** What would keep the control plane from being restarted is told before anything is written. */
async function assertRestartable({ cluster, place }: ClusterSite): Promise<void> {
  const { rehearseRestart } = await import('./restart.ts');
  await rehearseRestart(cluster, place.namespace);
}

/** Loaded only where it is asked for. */
async function restart({ site, flags, streams, env, stop }: ClusterRenewal): Promise<void> {
  const { restartAfterRenewal } = await import('./restart.ts');
  const surroundings = { streams, env, stop, isQuiet: flags.quiet };
  try {
    await restartAfterRenewal(site.cluster, site.place.namespace, flags.timeout * 1000, surroundings);
  } catch (error) {
    if (!(error instanceof DaprMtlsError)) throw error;
    const { code, message, hint } = error;
    throw new DaprMtlsError(code, { message: `the bundle is renewed, but ${message}`, hint, cause: error });
  }
}
