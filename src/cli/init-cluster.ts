import { describeCluster } from '../app/cluster-report.ts';
import { defaultSettings } from '../app/configuration/settings.ts';
import { type FirstBundle, keepLaidBundle, makeFirstBundle } from '../app/init-cluster/first-bundle.ts';
import { assertClear } from '../app/init-cluster/ground.ts';
import type { InitClusterReport, LaidObjectReport } from '../app/init-cluster/report.ts';
import { endOfRoot } from '../app/renew/report.ts';
import { document } from '../app/report.ts';
import type { Cluster } from '../kube/port.ts';
import { parseDaprVersion } from '../pki/rules/context.ts';
import { keepsakeRemarks } from '../render/keepsakes.ts';
import { assertStillLaid, layBundle, layConfigMap, layNamespace } from '../store/cluster/lay-bundle.ts';
import type { ClusterPlace } from '../store/cluster/objects.ts';
import { defaultNames } from '../store/file-names.ts';
import { assertNotRotatingCluster } from './assert-not-rotating.ts';
import {
  assertImageVariant,
  assertNoTrustValues,
  type ChartWish,
  chooseTrustDomain,
  fileNamesOf,
  helmArguments,
  releaseName,
} from './init-cluster-chart.ts';
import type { InitClusterFlags } from './init-cluster-flags.ts';
import { type Survey, surveyGround } from './init-cluster-ground.ts';
import { chooseInstaller, commandOf, type Installer, installChart } from './init-cluster-install.ts';
import { randomness, readOwnBundle, readPassphrase, readRootKey, readRootKeyWish } from './key-files.ts';
import { assertKeyTypeFits, validityOf } from './renew-input.ts';
import type { Streams } from './streams.ts';

export interface InitClusterOptions {
  readonly env: NodeJS.ProcessEnv;
  /** The folder of this package. */
  readonly home: string;
  readonly now: Date;
  readonly streams: Streams;
}

/**
 * Lays a bundle where Dapr is to be, then has the chart installed on it. Everything that can be refused
 * is refused before the first write; the chart comes last, so that Sentry starts on a whole bundle.
 * @throws DaprMtlsError `dapr.exists`, `trust.refused`, `tool.missing`, `helm.failed`, `cluster.*`
 */
export async function initializeCluster(
  cluster: Cluster,
  flags: InitClusterFlags & { readonly namespace: string },
  options: InitClusterOptions,
): Promise<InitClusterReport> {
  const { streams, env, home, now } = options;
  const { namespace } = flags;
  assertNoTrustValues(flags.set);
  assertImageVariant(flags['image-variant']);
  const trustDomain = chooseTrustDomain(flags['trust-domain'], flags.set);
  const { kubeconfig, context } = flags;
  const wish: ChartWish = { flags, namespace, trustDomain, kubeconfig, context };
  const installer = flags['trust-only'] ? undefined : chooseInstaller(wish, env, home);
  const next = installer ? nextAfterInstall(wish) : commandOf('helm', helmArguments(wish, env));

  const names = fileNamesOf(flags.set, defaultNames);
  const place: ClusterPlace = { cluster, namespace, names, hasConfigMap: true };
  await assertNotRotatingCluster(place, streams);
  const survey = await surveyGround(place);
  const first = await chooseBundle(survey, flags, trustDomain, now);
  for (const line of survey.notChecked) streams.note(`Not checked: ${line}\n`);
  const objects = await lay(place, survey, first);
  // Said before the chart, which may take minutes and may fail.
  for (const remark of [...first.remarks, ...keepsakeRemarks('', { backup: null, rootKey: first.rootKey })])
    streams.warn(`${remark}\n`);

  if (installer) await install(installer, place, first, streams);
  return document('InitCluster', {
    cluster: describeCluster(cluster.location, namespace),
    outcome: installer ? ('installed' as const) : ('laid' as const),
    bundle: first.kind,
    validUntil: endOfRoot(first.files) ?? '',
    trustDomain,
    objects,
    rootKey: first.rootKey,
    chart: installer ? { by: installer.by, command: installer.command } : null,
    notChecked: survey.notChecked,
    remarks: first.remarks,
    next,
  });
}

async function chooseBundle(
  { ground }: Survey,
  flags: InitClusterFlags,
  trustDomain: string,
  now: Date,
): Promise<FirstBundle> {
  const clearance = assertClear(ground, now);
  const passphrase = readPassphrase(flags['passphrase-file']);
  const own = readOwnBundle(flags, passphrase);
  const rootKey = readRootKey(flags, passphrase);
  if (clearance.kind === 'finish') {
    return keepLaidBundle(clearance.files, { own, rootKey, namespace: ground.namespace });
  }
  const daprVersion = parseDaprVersion(flags['runtime-version'] ?? '');
  assertKeyTypeFits(flags['key-type'], daprVersion);
  return makeFirstBundle({
    own,
    rootKey,
    saveRootKey: readRootKeyWish(flags, passphrase, undefined),
    trustDomain,
    now,
    ...validityOf(flags),
    allowedClockSkewMs: defaultSettings.allowedClockSkewMs,
    keyType: flags['key-type'],
    issuerPathLength: flags['issuer-path-length'],
    daprVersion,
    ...randomness,
  });
}

async function lay(place: ClusterPlace, survey: Survey, first: FirstBundle): Promise<LaidObjectReport[]> {
  const { cluster, namespace } = place;
  const { objects, hasNamespace } = survey;
  const adopter = { release: releaseName, namespace };
  const laidNamespace = await layNamespace(cluster, namespace, hasNamespace);
  if (first.kind !== 'kept')
    return [laidNamespace, ...(await layBundle(place, first.files, objects, adopter, first.sideFiles))];
  const kept: LaidObjectReport = { kind: 'Secret', name: 'dapr-trust-bundle', action: 'kept' };
  if (survey.ground.configMap) return [laidNamespace, kept, { ...kept, kind: 'ConfigMap' }];
  return [laidNamespace, kept, await layConfigMap(place, first.files.anchors, objects.configMap, adopter)];
}

/** The chart must have left the bundle alone: a Sentry that has made its own is told at once. */
async function install(installer: Installer, place: ClusterPlace, first: FirstBundle, streams: Streams): Promise<void> {
  streams.note(`The bundle is laid in ${place.namespace}. Installing the chart on it: ${installer.command}\n`);
  const said = await installChart(installer, place.namespace);
  if (said) streams.note(`${said}\n`);
  await assertStillLaid(place, first.files);
}

function nextAfterInstall({ kubeconfig, context }: ChartWish): string {
  return commandOf('dapr', [
    ...['status', '-k'],
    ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]),
    ...(context === undefined ? [] : ['--context', context]),
  ]);
}
