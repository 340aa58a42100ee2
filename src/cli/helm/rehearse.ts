import { isDeepStrictEqual } from 'node:util';
import { planData } from '../../app/owners/planned-data.ts';
import { DaprMtlsError } from '../../errors.ts';
import { bundleKinds } from '../../kube/owners/facts.ts';
import { toRecord } from '../../kube/owners/helm-record.ts';
import { findRendered } from '../../kube/owners/helm-release.ts';
import { readDocument, splitManifest } from '../../kube/owners/manifest.ts';
import type { BundlePart, FoundFiles } from '../../pki/reading.ts';

/** What the upgrade is to leave behind. */
export interface Expectation {
  readonly bundle: { readonly name: string; readonly namespace: string };
  readonly files: FoundFiles;
  readonly names: Readonly<Record<BundlePart, string>>;
  readonly chartVersion: string;
  /** What the release renders now. */
  readonly manifest: string;
}

/**
 * Holds what helm would do against what is wanted: the same bundle, byte for byte, in both objects
 * (else its patch would make them differ for a moment, and a Sentry that starts then makes a new
 * root), the same chart, and nothing else.
 * @param output of `helm upgrade --dry-run=server --output json`
 * @throws DaprMtlsError `helm.failed`
 */
export async function assertUpgrade(output: string, expected: Expectation): Promise<void> {
  const record = toRecord(parseJson(output));
  if (!record) throw refuse('what helm printed of its dry run cannot be read', 'Use Helm 3.13 or later.');
  if (record.chart.version !== expected.chartVersion) {
    throw refuse(
      `the chart at hand is ${record.chart.name} ${record.chart.version}, and the release was made from version ${expected.chartVersion}`,
      'Name the chart of that version with --helm-chart; a renewal is no time to upgrade Dapr.',
    );
  }
  const rendered = await findRendered(record, expected.bundle);
  const planned = planData(expected.files, expected.names);
  // Up to Dapr 1.11 there is no ConfigMap to render.
  const objects = bundleKinds.filter((kind) => kind === 'Secret' || rendered[kind]);
  if (!objects.every((kind) => isDeepStrictEqual(rendered[kind]?.data, planned[kind]))) {
    throw refuse(
      'the chart does not render Secret and ConfigMap with the bundle that its values give',
      'Blank lines at the end of the root certificate are one cause: remove them. Else commit the values to where the release comes from: --output-helm-values FILE.',
    );
  }
  const others = await listChanges(expected.manifest, record.manifest, expected.bundle.name);
  if (others.length === 0) return;
  throw refuse(
    `the upgrade would also change ${others.slice(0, 5).join(', ')}${others.length > 5 ? ' and others' : ''}`,
    'Name the chart that the release was made from with --helm-chart, or bring the release up to date first.',
  );
}

/** The objects other than the bundle that two manifests do not agree on, by kind and name. */
async function listChanges(before: string, after: string, bundleName: string): Promise<string[]> {
  const old = new Set(textsOf(before));
  const now = new Set(textsOf(after));
  const changed = [...[...old].filter((text) => !now.has(text)), ...[...now].filter((text) => !old.has(text))];
  const objects = new Map<string, unknown[]>();
  for (const text of changed) {
    const object = await readDocument({ source: undefined, text });
    const isBundle = object?.name === bundleName && bundleKinds.some((kind) => kind === object.kind);
    if (!object || isBundle) continue;
    const name = `${object.kind}/${object.name}`;
    objects.set(name, [...(objects.get(name) ?? []), object.fields]);
  }
  // Two texts may say the same: another Helm writes its YAML in another way.
  const isSame = ([one, other]: unknown[]) => other !== undefined && isDeepStrictEqual(one, other);
  return [...objects].filter(([, versions]) => !isSame(versions)).map(([name]) => name);
}

function textsOf(manifest: string): string[] {
  return splitManifest(manifest).map(({ text }) => text.trim());
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refuse(message: string, hint: string): DaprMtlsError {
  return new DaprMtlsError('helm.failed', { message: `${message}; nothing was written`, hint });
}
