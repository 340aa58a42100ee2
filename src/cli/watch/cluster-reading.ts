import { checkBundle } from '../../app/check/check.ts';
import { collectSettings } from '../../app/configuration/settings.ts';
import { defaultWarnBeforeMs } from '../../app/report.ts';
import { judgePublic, type PublicSurvey } from '../../app/watch/judge-public.ts';
import { carries } from '../../app/watch/picture.ts';
import { DaprMtlsError } from '../../errors.ts';
import { type ControlPlane, readControlPlane } from '../../kube/dapr/control-plane.ts';
import type { Cluster } from '../../kube/port.ts';
import type { Finding } from '../../pki/rules/finding.ts';
import { anchorsOf, type ConfigMapObject, configMapRef } from '../../store/cluster/objects.ts';
import { digest } from '../../store/digest.ts';
import type { BundleReader, FoundFiles, StoredBundle, StoreLocation } from '../../store/port.ts';
import { assertControlPlane, noControlPlane } from '../assert-control-plane.ts';
import { readClusterSite } from '../cluster-site.ts';
import { openPublicReader } from '../public-bundle.ts';
import { surveySite } from '../survey-cluster.ts';

/** A control plane as it was found; what is said of it depends on the time. */
export interface ClusterReading {
  readonly location: StoreLocation;
  readonly stored: StoredBundle;
  readonly controlPlane: ControlPlane;
  /** False where a reading has met a change half done, or there is none. */
  readonly hasConfigMap: boolean;
  readonly unread: readonly string[];
  /** What is judged, and by whose dates a judgement changes: also an issuer that is not seen now, but was. */
  readonly judged: FoundFiles;
  judge(at: Date): readonly Finding[];
}

/** As `check -k` reads it. @throws DaprMtlsError `cluster.*`, `dapr.missing` */
export async function readWithSecret(cluster: Cluster, namespace: string): Promise<ClusterReading> {
  const site = await readClusterSite(cluster, namespace);
  await assertControlPlane(cluster, site.controlPlane);
  const { stored, location, surroundings, daprVersion } = await surveySite(site);
  const options = { warnBeforeMs: defaultWarnBeforeMs, daprVersion };
  return {
    location,
    stored,
    controlPlane: site.controlPlane,
    hasConfigMap: stored.state !== 'interrupted',
    unread: [],
    judged: stored.files,
    judge: (at) => checkBundle(stored, location, surroundings, { at, ...options }).findings,
  };
}

/** What Sentry has shown, for the time in which it does not answer. */
interface Shown {
  /** The last one that was believed. */
  readonly issuerChain: Buffer | undefined;
  /** Why who answered last is not believed. */
  readonly refusal: PublicSurvey['refusal'];
}

/**
 * Without any right on the Secret: the anchors of the ConfigMap, and the issuer that Sentry shows. One
 * that is under none of the anchors is a finding, because it is what every new sidecar meets. While Sentry
 * does not answer, what was found of the issuer stands: that nobody could look is no all-clear.
 * @returns reads all anew at each call, which throws DaprMtlsError `cluster.*`, `dapr.missing`
 */
export function openPublicReadings(
  cluster: Cluster,
  namespace: string,
  sentryAddress: string | undefined,
): () => Promise<ClusterReading> {
  let last: Shown = { issuerChain: undefined, refusal: undefined };
  return async () => {
    const controlPlane = await readControlPlane(cluster, namespace);
    const reader = await openPublicReader(cluster, { namespace, sentryAddress });
    const configMap = await cluster.get<ConfigMapObject>(configMapRef({ namespace }));
    // As `assertControlPlane`, which would ask for the Secret.
    if (controlPlane.sentry === 'absent' && !configMap) throw noControlPlane(namespace);
    const anchors = anchorsOf(configMap, controlPlane.fileNames);
    const { stored, refusal } = await readBelieved(reader, anchors);
    const unseen = whyUnseen(stored, refusal);
    last = {
      issuerChain: stored.files.issuerChain ?? last.issuerChain,
      refusal: unseen ? last.refusal : refusal,
    };
    const judged = withShownIssuer(stored.files, last);
    const survey = {
      files: judged,
      location: reader.location,
      configMap: configMap && { anchors, isImmutable: configMap.immutable === true },
      settings: collectSettings((name) => controlPlane.mtls?.[name]),
      refusal: last.refusal,
      daprVersion: controlPlane.release,
    };
    return {
      location: reader.location,
      stored,
      controlPlane,
      hasConfigMap: configMap !== undefined,
      unread: [
        ...(refusal ? [`issuer: not checked, ${refusal.message}`] : []),
        ...(unseen ? [`issuer: not checked, ${unseen}`] : []),
        'issuer key: not checked, the Secret is not read without --read-secret',
        ...controlPlane.unread.map((refused) => `control plane: defaults were taken, ${refused}`),
      ],
      judged,
      judge: (at) => judgePublic(survey, at, defaultWarnBeforeMs),
    };
  };
}

/** Undefined where it is seen, and where what is seen is not believed. */
function whyUnseen({ files, unread }: StoredBundle, refusal: DaprMtlsError | undefined): string | undefined {
  if (files.issuerChain || refusal) return undefined;
  return unread?.issuerChain?.reason ?? 'there are no trust anchors by which Sentry could be believed';
}

/** Once no anchor carries it any more, another one is in use. */
function withShownIssuer(files: FoundFiles, { issuerChain }: Shown): FoundFiles {
  return files.issuerChain || !carries(files.anchors, issuerChain) ? files : { ...files, issuerChain };
}

interface Believed {
  readonly stored: StoredBundle;
  /** Why who answers as Sentry is not believed. */
  readonly refusal: DaprMtlsError | undefined;
}

async function readBelieved(reader: BundleReader, anchors: Buffer | undefined): Promise<Believed> {
  try {
    return { stored: await reader.read(), refusal: undefined };
  } catch (error) {
    if (!(error instanceof DaprMtlsError) || error.code !== 'trust.refused') throw error;
    const files = { anchors, issuerChain: undefined, issuerKey: undefined };
    const revision = digest(anchors ?? Buffer.alloc(0));
    return { stored: { files, revision, state: 'unknown', source: 'public' }, refusal: error };
  }
}
