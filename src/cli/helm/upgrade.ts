import { buildHelmValues } from '../../app/owners/helm-values.ts';
import { planData } from '../../app/owners/planned-data.ts';
import { DaprMtlsError } from '../../errors.ts';
import { bundleKinds, type HelmRelease } from '../../kube/owners/facts.ts';
import { readDeployedManifest } from '../../kube/owners/find-helm.ts';
import { findOwners } from '../../kube/owners/find-owners.ts';
import type { BundleObject } from '../../kube/owners/marked-object.ts';
import type { Cluster } from '../../kube/port.ts';
import { resources } from '../../kube/resources.ts';
import type { BundlePart, FoundFiles } from '../../pki/reading.ts';
import { assertUpgrade } from './rehearse.ts';
import { exportByHand, type UpgradeRequest, upgradeArguments, upgradeByHand } from './request.ts';
import { runHelm } from './run-helm.ts';

export interface HelmUpgrade extends UpgradeRequest {
  readonly cluster: Cluster;
  readonly release: HelmRelease;
  /** Secret and ConfigMap. */
  readonly bundle: { readonly name: string; readonly namespace: string };
  /** The whole bundle as it will be. */
  readonly files: FoundFiles;
  readonly names: Readonly<Record<BundlePart, string>>;
  readonly env: NodeJS.ProcessEnv;
}

/** The release as it stands after. */
export interface StoredInRelease {
  readonly release: string;
  readonly revision: number;
}

/**
 * The first of three steps by which a bundle that a release holds is changed. Helm patches Secret and
 * ConfigMap one after the other, and a Sentry that starts in between makes a new root. So the bundle
 * is written by us, in the order that is safe, and `storeInRelease` then has helm store what is live
 * already: its patch changes nothing. This one shows, before anything is written, that it will be so.
 * @throws DaprMtlsError `tool.missing`, `helm.failed`, `usage.invalid`
 */
export async function rehearseUpgrade(upgrade: HelmUpgrade): Promise<void> {
  const { cluster, release, bundle, files, names } = upgrade;
  const args = [...upgradeArguments(upgrade, upgrade.env), '--dry-run=server', '--output', 'json'];
  const output = await runHelm(args, runOf(upgrade));
  const manifest = await readDeployedManifest(cluster, release);
  await assertUpgrade(output, { bundle, files, names, chartVersion: release.chart.version, manifest });
}

/**
 * Has helm store a bundle that is live already.
 * @throws DaprMtlsError `helm.failed`: the bundle is live all the same; `store.conflict`: it is not any more
 */
export async function storeInRelease(upgrade: HelmUpgrade): Promise<StoredInRelease> {
  try {
    await runHelm(upgradeArguments(upgrade, upgrade.env), runOf(upgrade));
  } catch (error) {
    if (!(error instanceof DaprMtlsError)) throw error;
    throw new DaprMtlsError(error.code, {
      message: `the new bundle is live, but release ${upgrade.release.name} still holds the old one, which its next upgrade would put back: ${error.message}`,
      hint: `Store it: ${exportByHand(upgrade, 'certs')} && ${upgradeByHand(upgrade, upgrade.env, 'certs')} (then remove certs)`,
      cause: error,
    });
  }
  return readBack(upgrade);
}

function runOf(upgrade: HelmUpgrade) {
  const { release, files, env } = upgrade;
  const { valuesPath } = release;
  const input = buildHelmValues(files, { valuesPath, withIssuerKey: true, keySource: '' });
  return { env, input, byHand: upgradeByHand(upgrade, env, 'certs') };
}

async function readBack({ cluster, release, bundle, files, names }: HelmUpgrade): Promise<StoredInRelease> {
  const [secret, configMap] = await Promise.all(
    [resources.secrets, resources.configMaps].map((resource) => cluster.get<BundleObject>({ resource, ...bundle })),
  );
  const facts = await findOwners(cluster, bundle.namespace, { secret, configMap });
  const planned = planData(files, names);
  const objects = bundleKinds.filter((kind) => release.revisions.some(({ rendered }) => rendered[kind]));
  const isLive = objects.every((kind) =>
    Object.entries(planned[kind]).every(([key, value]) => facts.live[kind]?.[key] === value),
  );
  if (!isLive) {
    throw new DaprMtlsError('store.conflict', {
      message: `what is live in ${bundle.namespace} after the upgrade of ${release.name} is not what was written`,
      hint: 'Look at it: `dapr-mtls check -k`.',
    });
  }
  const revision =
    facts.helm.state === 'found' ? facts.helm.release.revisions[0].revision : release.revisions[0].revision;
  return { release: release.name, revision };
}
