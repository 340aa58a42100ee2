/**
 * What a line of a log says, without its time and level: `msg` of Dapr's two log shapes (dapr/kit
 * logger: logrus' text, or one JSON object a line), else the line as it is.
 */
export function readMessage(line: string): string {
  if (line.trimStart().startsWith('{')) return readJson(line) ?? line;
  const quoted = /(?:^|\s)msg=("(?:[^"\\]|\\.)*")/.exec(line)?.[1];
  return quoted === undefined ? line : (parseString(quoted) ?? line);
}

function readJson(line: string): string | undefined {
  try {
    const { msg, error } = JSON.parse(line) as { msg?: unknown; error?: unknown };
    if (typeof msg !== 'string') return undefined;
    return typeof error === 'string' ? `${msg}: ${error}` : msg;
  } catch {
    return undefined;
  }
}

/** Go's `%q`, as far as it is JSON's too: else the line is searched as it stands. */
function parseString(quoted: string): string | undefined {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}
