/**
 * Reads the YAML that kubectl and the clouds write: blocks of mappings and lists, one-line scalars,
 * nothing that could be read in two ways. Loading a whole YAML library costs as much time as the
 * request that the kubeconfig is for (10 to 15 ms on Node 20); this costs less than one.
 * @returns undefined for all else, and for every mistake: those are the library's to read, and to tell
 */
export function readPlainYaml(text: string): unknown {
  const lines = splitLines(text);
  if (!lines?.length || lines[0]?.indent !== 0) return undefined;
  try {
    const reader = { lines, next: 0 };
    const value = readBlock(reader, 0);
    return reader.next === lines.length ? value : undefined;
  } catch (error) {
    if (error === notPlain) return undefined;
    throw error;
  }
}

interface Line {
  readonly indent: number;
  readonly text: string;
}

interface Reader {
  readonly lines: Line[];
  next: number;
}

const notPlain = new Error('not plain YAML');

/** Undefined where there is a character that a plain text has not. */
function splitLines(text: string): Line[] | undefined {
  if (/[^\n\x20-\x7e]/.test(text)) return undefined;
  return text
    .split('\n')
    .map((line) => ({ indent: line.search(/\S/), text: line.trim() }))
    .filter(({ indent, text: words }) => indent >= 0 && !words.startsWith('#'));
}

function readBlock(reader: Reader, indent: number): unknown {
  return isItem(reader.lines[reader.next]) ? readList(reader, indent) : readMapping(reader, indent);
}

function isItem(line: Line | undefined): boolean {
  return line?.text.startsWith('- ') ?? false;
}

const entry = /^([A-Za-z][\w./-]*):(?: +(.+))?$/;

function readMapping(reader: Reader, indent: number): Record<string, unknown> {
  const mapping: Record<string, unknown> = {};
  for (let line = reader.lines[reader.next]; line?.indent === indent; line = reader.lines[reader.next]) {
    if (isItem(line)) break;
    const [, key, value] = entry.exec(line.text) ?? [];
    if (key === undefined || Object.hasOwn(mapping, key)) throw notPlain;
    reader.next++;
    mapping[key] = value === undefined ? readNested(reader, indent) : readScalar(value);
  }
  return mapping;
}

/** What stands below a key: deeper, or a list at the same depth, or nothing. */
function readNested(reader: Reader, indent: number): unknown {
  const line = reader.lines[reader.next];
  if (!line || line.indent < indent) return null;
  if (line.indent > indent) return readBlock(reader, line.indent);
  return isItem(line) ? readList(reader, indent) : null;
}

/** The first line of an item is read as a line of its own, as deep as what follows its dash. */
function readList(reader: Reader, indent: number): unknown[] {
  const items: unknown[] = [];
  for (let line = reader.lines[reader.next]; line?.indent === indent; line = reader.lines[reader.next]) {
    if (!isItem(line)) break;
    const text = line.text.slice(1).trimStart();
    const depth = indent + line.text.length - text.length;
    if (entry.test(text)) {
      reader.lines[reader.next] = { indent: depth, text };
      items.push(readMapping(reader, depth));
    } else {
      reader.next++;
      items.push(readScalar(text));
    }
  }
  return items;
}

/** What a resolver could take for a number, or for another word of YAML. */
const ambiguous = /^(?:[-+.\d][-+.\da-fox_:]*|true|false|null|yes|no|on|off|y|n)$/i;

function readScalar(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === '{}') return {};
  if (text === '[]') return [];
  const [, quoted] = /^"([^"\\]*)"$/.exec(text) ?? /^'([^']*)'$/.exec(text) ?? [];
  if (quoted !== undefined) return quoted;
  const isPlain =
    /^(?:[A-Za-z0-9/_.]|-+[A-Za-z])[^#"'`]*$/.test(text) && !/:(?: |$)/.test(text) && !ambiguous.test(text);
  if (!isPlain) throw notPlain;
  return text;
}
