/**
 * Names in certificates and files are strangers' words: control and direction characters would
 * move the cursor or turn a line around, so they are shown as escapes.
 */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** The common name, or the last part of the name: enough to tell certificates apart in a table. */
export function shortName(subject: string): string {
  const parts = subject.split(', ');
  const common = parts.find((part) => part.startsWith('CN='));
  return printable((common ?? parts.at(-1) ?? subject).replace(/^[A-Z]+=/, '')) || '(no name)';
}

export function truncate(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

const colours = { red: 31, yellow: 33, green: 32, grey: 90, bold: 1 } as const;
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
