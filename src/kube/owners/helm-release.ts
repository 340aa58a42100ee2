import { digest, digestData } from './digest.ts';
import { type BundleKind, bundleKinds, type DataDigests, type HelmRelease, type HelmRevision } from './facts.ts';
import { type Fields, fieldsOf, type HelmRecord } from './helm-record.ts';
import { readDocument, splitManifest } from './manifest.ts';

/** Which objects are asked about. */
export interface BundleName {
  readonly name: string;
  readonly namespace: string;
}

/**
 * What records of one release, the newest first, say of our objects.
 * @returns undefined where none of them renders either object
 */
export async function describeRelease(
  records: readonly HelmRecord[],
  bundle: BundleName,
): Promise<HelmRelease | undefined> {
  const rendered = await Promise.all(records.map((record) => findRendered(record, bundle)));
  const source = rendered.flatMap(({ Secret, ConfigMap }) => Secret?.source ?? ConfigMap?.source ?? [])[0];
  const [newest] = records;
  if (!newest || !rendered.some(({ Secret, ConfigMap }) => Secret ?? ConfigMap)) return undefined;
  const valuesPath = valuesPathOf(source);
  const revisions = records.map(
    (record, index): HelmRevision => ({
      revision: record.revision,
      status: record.status,
      values: findValues(record, valuesPath),
      rendered: { Secret: rendered[index]?.Secret?.data, ConfigMap: rendered[index]?.ConfigMap?.data },
    }),
  ) as [HelmRevision, ...HelmRevision[]];
  const { name, namespace, chart, applyMethod } = newest;
  return { name, namespace, chart, applyMethod, valuesPath, revisions };
}

interface Rendered {
  readonly source: string | undefined;
  readonly data: DataDigests;
}

/** Only the documents that may be one of the two are parsed: a whole manifest takes longer than all the rest. */
export async function findRendered(
  { manifest, namespace }: Pick<HelmRecord, 'manifest' | 'namespace'>,
  bundle: BundleName,
): Promise<Readonly<Record<BundleKind, Rendered | undefined>>> {
  const found: Record<BundleKind, Rendered | undefined> = { Secret: undefined, ConfigMap: undefined };
  for (const document of splitManifest(manifest).filter(({ text }) => mayBe(text, bundle.name))) {
    const object = await readDocument(document);
    const kind = bundleKinds.find((kind) => kind === object?.kind);
    if (!object || !kind || object.name !== bundle.name) continue;
    if ((object.namespace ?? namespace) !== bundle.namespace) continue;
    const { data, stringData } = object.fields;
    found[kind] = {
      source: document.source,
      data: { ...digestData(kind, fieldsOf(data)), ...(kind === 'Secret' ? digestTexts(fieldsOf(stringData)) : {}) },
    };
  }
  return found;
}

function mayBe(text: string, name: string): boolean {
  return text.includes(name) && /^(?:kind: *["']?(?:Secret|ConfigMap)\b|\{)/m.test(text);
}

function digestTexts(texts: Fields): DataDigests {
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, digest(String(text))]));
}

/**
 * `dapr/charts/dapr_sentry/templates/...` takes `dapr_sentry.tls`; within a parent chart,
 * `platform/charts/dapr/charts/dapr_sentry/...` takes `dapr.dapr_sentry.tls`.
 */
function valuesPathOf(source: string | undefined): string[] {
  const charts = (source ?? '').split('/templates/')[0]?.split('/charts/').slice(1) ?? [];
  const parents = charts.at(-1) === 'dapr_sentry' ? charts.slice(0, -1) : charts;
  return [...parents, 'dapr_sentry', 'tls'];
}

/** Values of a parent chart's own file count as the user's do: they are put back all the same. */
function findValues({ config, defaults }: HelmRecord, path: readonly string[]): HelmRevision['values'] {
  const holds = (...keys: string[]) =>
    [config, defaults].some((values) => {
      const value = [...path, ...keys].reduce<unknown>((fields, key) => fieldsOf(fields)[key], values);
      return typeof value === 'string' && value.trim() !== '';
    });
  return {
    root: holds('root', 'certPEM'),
    issuerCertificate: holds('issuer', 'certPEM'),
    issuerKey: holds('issuer', 'keyPEM'),
  };
}
