import {
  type BundleKind,
  bundleKinds,
  type DataDigests,
  type HelmRelease,
  type HelmRevision,
} from '../../kube/owners/facts.ts';
import type { Effect } from './verdict.ts';

export interface HelmJudgement {
  readonly effect: Effect;
  readonly objects: readonly BundleKind[];
  /** What is said after the release's name. */
  readonly message: string;
  /** The two objects would hold different anchors after: what arms the accident. */
  readonly splits: boolean;
}

/** What a release does to the data of the two objects with its next upgrade (15 cases, run on Helm 3.22 and 4.3). */
export function judgeRelease(release: HelmRelease, after: ObjectData): HelmJudgement {
  const declared = release.revisions.filter((revision) => declaresData(release, revision));
  const differing = declared.find((revision) => bundleKinds.some((kind) => differs(revision, kind, after)));
  const objects = bundleKinds.filter((kind) => release.revisions.some(({ rendered }) => rendered[kind]));
  if (differing) {
    const isConflict = release.applyMethod === 'server-side';
    const splits = leavesDifferent(differing, after);
    return {
      effect: isConflict ? 'conflicts' : 'reverts',
      objects: bundleKinds.filter((kind) => differs(differing, kind, after)),
      message: describeDifference(differing, isConflict, splits),
      splits,
    };
  }
  const [agreeing] = declared;
  return agreeing
    ? { effect: 'agrees', objects, message: describeAgreement(agreeing), splits: false }
    : { effect: 'keeps', objects, message: silentRelease, splits: false };
}

const silentRelease =
  'stores no bundle: its upgrades keep what is live, but `helm upgrade --force` deletes it, and the next Sentry to start makes a new root';

function describeDifference(revision: HelmRevision, isConflict: boolean, splits: boolean): string {
  const where = holdsValues(revision) ? 'in its values' : 'in its chart';
  const next = isConflict
    ? 'the next `helm upgrade` fails on a conflict, and with --force-conflicts puts that one back'
    : 'the next `helm upgrade` puts that one back without a word';
  const split = splits
    ? '; Secret and ConfigMap then hold different anchors, and the next Sentry to start makes a new root'
    : '';
  return `stores another bundle ${where} (revision ${revision.revision}): ${next}${split}`;
}

function describeAgreement(revision: HelmRevision): string {
  return `stores this very bundle (revision ${revision.revision}): its upgrades keep it, but one that drops the values deletes it`;
}

/**
 * Up to Dapr 1.11 the chart renders what it finds in the live Secret where no values are set, so
 * that what stands in its manifest is no promise (charts/dapr_sentry, `lookup`).
 */
function declaresData({ chart }: HelmRelease, revision: HelmRevision): boolean {
  const hasData = bundleKinds.some((kind) => Object.keys(revision.rendered[kind] ?? {}).length > 0);
  const rendersLive = chart.name === 'dapr' && /^1\.(\d|10|11)\./.test(chart.version) && !holdsValues(revision);
  return hasData && !rendersLive;
}

export function holdsValues({ values }: HelmRevision): boolean {
  return values.root || values.issuerCertificate || values.issuerKey;
}

/**
 * With the root alone set, the chart renders data for the ConfigMap alone; and of a root that ends in
 * a blank line it drops that from the ConfigMap (`toYaml`) and not from the Secret: run on Dapr 1.12 and 1.17.
 */
function leavesDifferent({ rendered }: HelmRevision, after: ObjectData): boolean {
  const [secret, configMap] = bundleKinds.map((kind) => ({ ...after[kind], ...rendered[kind] }));
  return Object.keys(rendered.ConfigMap ?? {}).some((key) => secret?.[key] !== configMap?.[key]);
}

type ObjectData = Readonly<Record<BundleKind, DataDigests | undefined>>;

function differs({ rendered }: HelmRevision, kind: BundleKind, after: ObjectData): boolean {
  return Object.entries(rendered[kind] ?? {}).some(([key, value]) => after[kind]?.[key] !== value);
}
