import { gzipSync } from 'node:zlib';

export interface ReleaseWishes {
  readonly name?: string;
  readonly namespace?: string;
  readonly revision?: number;
  readonly status?: string;
  readonly chartName?: string;
  readonly chartVersion?: string;
  readonly applyMethod?: string;
  readonly config?: object;
  readonly defaults?: object;
  /** Rendered into Secret and ConfigMap; the ConfigMap takes `ca.crt` alone. */
  readonly data?: Readonly<Record<string, string>>;
  readonly source?: string;
  readonly manifest?: string;
  /** Instead of the encoded release. */
  readonly stored?: string;
}

/** A release as Helm's JSON has it. */
export function releaseOf(wishes: ReleaseWishes = {}) {
  const { name = 'dapr', namespace = 'dapr-system', revision = 1, status = 'deployed' } = wishes;
  return {
    name,
    namespace,
    version: revision,
    info: { status },
    chart: {
      metadata: { name: wishes.chartName ?? 'dapr', version: wishes.chartVersion ?? '1.17.13' },
      values: wishes.defaults ?? {},
    },
    config: wishes.config ?? {},
    manifest: wishes.manifest ?? manifestOf(wishes),
    ...(wishes.applyMethod ? { apply_method: wishes.applyMethod } : {}),
  };
}

/** As Dapr's chart renders it: both objects always, data only where there is some. */
export function manifestOf({ data, source = sentrySource, namespace = 'dapr-system' }: ReleaseWishes): string {
  const metadata = `metadata:\n  name: dapr-trust-bundle\n  namespace: ${namespace}`;
  const secret = Object.entries(data ?? {}).map(([key, text]) => `  ${key}: ${Buffer.from(text).toString('base64')}`);
  const configMap = data?.['ca.crt'] === undefined ? [] : [`  ca.crt: ${JSON.stringify(data['ca.crt'])}`];
  const section = (lines: string[]) => (lines.length > 0 ? `data:\n${lines.join('\n')}\n` : '');
  return [
    `# Source: ${source}\napiVersion: v1\nkind: Secret\n${metadata}\ntype: Opaque\n${section(secret)}`,
    `# Source: ${source}\napiVersion: v1\nkind: ConfigMap\n${metadata}\n${section(configMap)}`,
    '# Source: dapr/charts/dapr_operator/templates/x.yaml\napiVersion: v1\nkind: Service\nmetadata:\n  name: dapr-api\n',
  ]
    .map((document) => `---\n${document}`)
    .join('');
}

const sentrySource = 'dapr/charts/dapr_sentry/templates/dapr_sentry_deployment.yaml';

/** As it stands in `data.release` of the release's Secret. */
export function encodeRelease(release: object): string {
  const packed = gzipSync(JSON.stringify(release)).toString('base64');
  return Buffer.from(packed).toString('base64');
}

/** The Secret in which Helm keeps a release. */
export function releaseSecret(wishes: ReleaseWishes = {}) {
  const { name = 'dapr', namespace = 'dapr-system', revision = 1, status = 'deployed' } = wishes;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: `sh.helm.release.v1.${name}.v${revision}`,
      namespace,
      labels: { owner: 'helm', name, status, version: String(revision) },
    },
    type: 'helm.sh/release.v1',
    data: { release: wishes.stored ?? encodeRelease(releaseOf(wishes)) },
  };
}
