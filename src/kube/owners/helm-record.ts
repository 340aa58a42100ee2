import { gunzipSync } from 'node:zlib';

/** A release as Helm keeps it. It HOLDS THE ISSUER KEY IN CLEAR, twice: no part of it may reach a message. */
export interface HelmRecord {
  readonly name: string;
  readonly namespace: string;
  readonly revision: number;
  readonly status: string;
  readonly chart: { readonly name: string; readonly version: string };
  readonly applyMethod: 'client-side' | 'server-side';
  /** What the user set. */
  readonly config: Fields;
  /** What the chart itself sets. */
  readonly defaults: Fields;
  readonly manifest: string;
}

export type Fields = Readonly<Record<string, unknown>>;

/** A Secret may have 1 MiB; the JSON in it is 3 to 4 times as large, and a bomb would be 1000 times. */
const storedLimit = 2 * 1024 * 1024;
const jsonLimit = 16 * 1024 * 1024;

/**
 * Reads `data.release` of a release Secret: base64 (Secret) of base64 (Helm) of gzip of JSON; the
 * oldest releases are not compressed (helm/pkg/storage/driver/util.go).
 * @returns undefined for what is no release, or too large to be one
 */
export function decodeRecord(stored: string): HelmRecord | undefined {
  if (stored.length > storedLimit) return undefined;
  const packed = Buffer.from(Buffer.from(stored, 'base64').toString('latin1'), 'base64');
  try {
    return toRecord(JSON.parse(unpack(packed).toString('utf8')));
  } catch {
    return undefined;
  }
}

function unpack(bytes: Buffer): Buffer {
  const isCompressed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return isCompressed ? gunzipSync(bytes, { maxOutputLength: jsonLimit }) : bytes;
}

/** Also what `helm upgrade --dry-run --output json` prints. */
export function toRecord(value: unknown): HelmRecord | undefined {
  if (!isFields(value) || typeof value.name !== 'string' || typeof value.manifest !== 'string') return undefined;
  const chart = fieldsOf(value.chart);
  const metadata = fieldsOf(chart.metadata);
  return {
    name: value.name,
    namespace: textOf(value.namespace),
    revision: typeof value.version === 'number' ? value.version : 0,
    status: textOf(fieldsOf(value.info).status),
    chart: { name: textOf(metadata.name), version: textOf(metadata.version) },
    applyMethod: value.apply_method === 'ssa' ? 'server-side' : 'client-side',
    config: fieldsOf(value.config),
    defaults: fieldsOf(chart.values),
    manifest: value.manifest,
  };
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
