import { DaprMtlsError } from '../../errors.ts';

/** A place in a kubeconfig: the file, and the field as a person would look for it. */
export interface Place {
  readonly file: string;
  readonly field: string;
}

type Mapping = Readonly<Record<string, unknown>>;

/**
 * Reads the fields of one mapping of a kubeconfig. Null counts as not there, as it does for Go.
 * Every reader throws DaprMtlsError `cluster.kubeconfig`, and never shows a value: it may be a secret.
 */
export function fieldsOf(value: unknown, place: Place) {
  const mapping = mappingOf(value, place);
  const at = (name: string): Place => ({ file: place.file, field: place.field ? `${place.field}.${name}` : name });
  const text = (name: string): string | undefined => {
    const found = mapping[name];
    if (found === undefined || found === null || found === '') return undefined;
    if (typeof found === 'string') return found;
    throw malformed(at(name), 'is not text', 'Put its value in quotes.');
  };
  const list = (name: string): readonly unknown[] => {
    const found = mapping[name] ?? [];
    if (Array.isArray(found)) return found;
    throw malformed(at(name), 'is not a list');
  };
  return {
    at,
    raw: (name: string): unknown => mapping[name] ?? undefined,
    text,
    list,
    flag(name: string): boolean {
      const found = mapping[name];
      // YAML 1.1, which kubectl reads, knows these words, too.
      if (found === true || found === 'yes' || found === 'on') return true;
      if (found === undefined || found === null || found === false || found === 'no' || found === 'off') return false;
      throw malformed(at(name), 'is neither true nor false');
    },
    data(name: string): Buffer | undefined {
      const encoded = text(name)?.replace(/[\r\n]/g, '');
      if (encoded === undefined) return undefined;
      if (encoded.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(encoded)) return Buffer.from(encoded, 'base64');
      throw malformed(at(name), 'is not base64', 'Encode the file again: base64 -w0 FILE.');
    },
    texts: (name: string): readonly string[] =>
      list(name).map((item, index) => textOf(item, { file: place.file, field: `${at(name).field}[${index}]` })),
    mapping: (name: string): Mapping => mappingOf(mapping[name], at(name)),
  };
}

export function mappingOf(value: unknown, place: Place): Mapping {
  if (value === undefined || value === null) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Mapping;
  throw malformed(place, 'is not a mapping');
}

export function textOf(value: unknown, place: Place): string {
  if (typeof value === 'string') return value;
  throw malformed(place, 'is not text', 'Put its value in quotes.');
}

export function malformed(
  { file, field }: Place,
  what: string,
  mend = 'Compare it with: kubectl config view',
): DaprMtlsError {
  return new DaprMtlsError('cluster.kubeconfig', {
    message: `${file}: ${field || 'the document'} ${what}`,
    hint: mend,
  });
}
