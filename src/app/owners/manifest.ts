import { Document, Scalar } from 'yaml';
import type { BundlePart, FoundFiles } from '../../pki/reading.ts';

export interface ManifestOptions {
  readonly names: Readonly<Record<BundlePart, string>>;
  readonly withIssuerKey: boolean;
  /** Where the key is to be had, said where it is left out. */
  readonly keySource: string;
}

/** An object as it stands in the cluster; what is there beside the bundle goes into the manifest. */
export interface LiveObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

/**
 * Secret and ConfigMap with a new bundle, to commit. Labels, annotations and other keys are kept.
 * Without `withIssuerKey` the Secret holds only what everybody may know: the issuer key is left out,
 * and so is every other key of it that is not known to be public, such as Sentry's `jwt.key`.
 */
export function buildManifests(
  live: { readonly secret: LiveObject; readonly configMap: LiveObject | undefined },
  files: FoundFiles,
  options: ManifestOptions,
): string {
  const documents = [
    buildSecret(live.secret, files, options),
    ...(live.configMap ? [buildConfigMap(live.configMap, files, options)] : []),
  ];
  return documents.map((document) => document.toString({ lineWidth: 0 })).join('---\n');
}

function buildSecret(
  secret: LiveObject,
  files: FoundFiles,
  { names, withIssuerKey, keySource }: ManifestOptions,
): Document {
  const parts = (['anchors', 'issuerChain', 'issuerKey'] as const).flatMap((part) => {
    const content = files[part];
    return content ? [[names[part], content.toString('base64')] as const] : [];
  });
  const data: Record<string, string> = { ...secret.data, ...Object.fromEntries(parts) };
  const isPublic = (key: string) => key === names.anchors || key === names.issuerChain || key === 'jwks.json';
  const leftOut = withIssuerKey ? [] : Object.keys(data).filter((key) => !isPublic(key));
  for (const key of leftOut) delete data[key];
  const document = new Document({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadataOf(secret),
    type: secret.type ?? 'Opaque',
    data,
  });
  if (leftOut.length > 0) {
    document.commentBefore = ` Left out of data: ${leftOut.join(', ')}. The issuer key: ${keySource}.
 Fill them in before this is applied: with the new certificates beside another key Sentry does not start.`;
  }
  return document;
}

function buildConfigMap(configMap: LiveObject, files: FoundFiles, { names }: ManifestOptions): Document {
  const data: Record<string, unknown> = { ...configMap.data };
  if (files.anchors) {
    const anchors = new Scalar(files.anchors.toString('utf8'));
    anchors.type = Scalar.BLOCK_LITERAL;
    data[names.anchors] = anchors;
  }
  return new Document({ apiVersion: 'v1', kind: 'ConfigMap', metadata: metadataOf(configMap), data });
}

/** What `kubectl apply` was last given holds the old key in clear; ours is a mark of a moment. */
const droppedAnnotations = /^(kubectl\.kubernetes\.io\/last-applied-configuration$|dapr-mtls\/)/;

function metadataOf({ metadata: { name, namespace, labels, annotations } }: LiveObject): object {
  const kept = Object.entries(annotations ?? {}).filter(([key]) => !droppedAnnotations.test(key));
  return {
    name,
    ...(namespace ? { namespace } : {}),
    ...(labels && Object.keys(labels).length > 0 ? { labels } : {}),
    ...(kept.length > 0 ? { annotations: Object.fromEntries(kept) } : {}),
  };
}
