import { type Fields, fieldsOf, isFields } from './helm-record.ts';

/** One document of a rendered manifest. */
export interface ManifestDocument {
  /** The template it came from: `dapr/charts/dapr_sentry/templates/dapr_sentry_deployment.yaml`. */
  readonly source: string | undefined;
  readonly text: string;
}

/** Cuts at the separators, which no indented block can hold, so that nothing has to be parsed. */
export function splitManifest(manifest: string): ManifestDocument[] {
  return manifest
    .split(/^---[ \t]*\r?$/m)
    .filter((text) => text.trim() !== '')
    .map((text) => ({ source: /^# Source: (.+?)\r?$/m.exec(text)?.[1], text }));
}

/** An object that a chart renders. */
export interface RenderedObject {
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly fields: Fields;
}

/** Undefined where a document holds no object, or none that can be read. */
export async function readDocument({ text }: ManifestDocument): Promise<RenderedObject | undefined> {
  const { parse } = await import('yaml');
  const fields: unknown = tryTo(() => parse(text, { logLevel: 'silent', maxAliasCount: 100 }));
  if (!isFields(fields)) return undefined;
  const { name, namespace } = fieldsOf(fields.metadata);
  if (typeof fields.kind !== 'string' || typeof name !== 'string') return undefined;
  return { kind: fields.kind, name, namespace: typeof namespace === 'string' ? namespace : undefined, fields };
}

/** The parser quotes what it cannot read, which may be a key: its words are dropped. */
function tryTo(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return undefined;
  }
}
