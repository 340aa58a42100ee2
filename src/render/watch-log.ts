import type { LogEntry } from '../app/watch/watch.ts';

/** Who writes the log. */
export interface LogWriter {
  /** The machine or pod. */
  readonly instance: string;
  readonly version: string;
  readonly isJson: boolean;
}

const scope = 'dapr.mtls.watch';

/**
 * One line as Sentry writes its own (dapr/kit, logger): in text time, level and message come first and the
 * other fields in the order of their names, in JSON all of them.
 */
export function renderLogLine(
  { level, message }: LogEntry,
  at: Date,
  { instance, version, isJson }: LogWriter,
): string {
  const [time, type] = [goInstant(at), 'log'];
  if (isJson) return `${goJson({ instance, level, msg: message, scope, time, type, ver: version })}\n`;
  const fields = { time, level, msg: message, instance, scope, type, ver: version };
  const words = Object.entries(fields).map(([name, value]) => `${name}=${goText(value)}`);
  return `${words.join(' ')}\n`;
}

/** RFC3339Nano of Go, which leaves zeros at the end of the fraction out. */
function goInstant(at: Date): string {
  return at.toISOString().replace(/\.?0*Z$/, 'Z');
}

/** encoding/json makes what it writes fit for HTML. */
function goJson(fields: object): string {
  return JSON.stringify(fields).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** In quotes unless it is one plain word, as logrus has it; what moves a cursor is escaped. */
function goText(value: string): string {
  if (/^[\w./@^+-]*$/.test(value)) return value;
  const escaped = value.replace(/["\\]|\p{C}|(?! )\p{Z}/gu, escapeCharacter);
  return `"${escaped}"`;
}

const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '"': '\\"', '\\': '\\\\' };

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hexadecimal = (digits: number) => code.toString(16).padStart(digits, '0');
  if (named[character]) return named[character];
  if (code < 0x80) return `\\x${hexadecimal(2)}`;
  return code < 0x1_0000 ? `\\u${hexadecimal(4)}` : `\\U${hexadecimal(8)}`;
}
