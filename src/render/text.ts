/**
 * Names in certificates and files are strangers' words: control and direction characters would
 * move the cursor or turn a line around, so they are shown as escapes.
 */
export function printable(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (character) => {
      return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
    },
  );
}

/** The same for a text of ours with line breaks, in which strangers' words may stand. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** The common name, or the last part of the name: enough to tell certificates apart in a table. */
export function shortName(subject: string): string {
  const parts = subject.split(', ');
  const common = parts.find((part) => part.startsWith('CN='));
  return printable((common ?? parts.at(-1) ?? subject).replace(/^[A-Z]+=/, '')) || '(no name)';
}

function truncate(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** Where a text goes. */
export interface Terminal {
  readonly isTty: boolean;
  readonly columns: number;
  readonly colour: boolean;
}

/** Only who reads on a terminal wants lines broken; who searches in a pipe wants them whole. */
export function widthOf({ isTty, columns }: Pick<Terminal, 'isTty' | 'columns'>): number {
  return isTty ? columns : Number.POSITIVE_INFINITY;
}

/** `1 error`, `2 errors`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

const colours = { red: 31, yellow: 33, green: 32, blue: 34, magenta: 35, cyan: 36, grey: 90, bold: 1 } as const;
export type Colour = keyof typeof colours;

/** A function that paints, or one that leaves the text alone. */
export function painter(enabled: boolean): (colour: Colour, text: string) => string {
  return enabled ? (colour, text) => `\u001b[${colours[colour]}m${text}\u001b[0m` : (_, text) => text;
}

/** Columns with two spaces between them; the last one is not padded. Plain text only. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
    });
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** Narrower than this the last column says nothing, and is left out. */
const leastColumn = 10;

/** As many columns as the terminal has room for; the very last one may be cut. */
export function fitColumns(rows: readonly (readonly string[])[], width: number): string[] {
  const count = rows[0]?.length ?? 0;
  for (let shown = count; shown > 1; shown--) {
    const lines = columns(rows.map((row) => row.slice(0, shown)));
    const lastColumn = Math.max(...rows.map((row) => row[shown - 1]?.length ?? 0));
    const excess = Math.max(...lines.map((line) => line.length)) - width;
    const mayCut = shown === count && lastColumn - excess >= leastColumn;
    if (excess <= 0 || mayCut) return lines.map((line) => truncate(line, width));
  }
  return rows.map(([first = '']) => truncate(first, width));
}

/** Narrower than this a sentence reads badly in a column, and stands below its row. */
const leastSentence = 20;

/**
 * As `columns`, for rows that end in a sentence, which nobody wants cut: it goes on below itself, or
 * below its row where there is no room. Each row may be several lines.
 */
export function foldColumns(rows: readonly (readonly string[])[], width: number): string[] {
  const lines = columns(rows);
  if (lines.every((line) => line.length <= width)) return lines;
  const heads = columns(rows.map((row) => [...row.slice(0, -1), '|'])).map((line) => line.slice(0, -1));
  const indent = Math.max(...heads.map((head) => head.length));
  const sentences = rows.map((row) => row.at(-1) ?? '');
  const room = width - indent;
  if (room >= leastSentence)
    return heads.map((head, index) =>
      `${head}${wrap(sentences[index] ?? '', room).join(`\n${' '.repeat(indent)}`)}`.trimEnd(),
    );
  return fitColumns(
    rows.map((row) => row.slice(0, -1)),
    width,
  ).map((line, index) =>
    index === 0 ? line : [line, ...wrap(sentences[index] ?? '', width - 2).map((part) => `  ${part}`)].join('\n'),
  );
}

/** Breaks a text into lines at spaces; a word that is longer stands alone. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return line ? [...lines, line] : lines;
}
