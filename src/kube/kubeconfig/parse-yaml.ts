import { type Document, isMap, isSeq, parseDocument, type YAMLMap } from 'yaml';

/**
 * Bundled by itself: a kubeconfig in JSON is read without it.
 * @throws Error whose message holds line, column and code, and nothing of the text: it may be a token
 */
export function parseYaml(text: string): unknown {
  return parse(text).toJS();
}

function parse(text: string): Document {
  const document = parseDocument(text, { logLevel: 'silent' });
  const [error] = document.errors;
  if (error) {
    const [start] = error.linePos ?? [];
    throw new Error(`line ${start?.line ?? '?'}, column ${start?.col ?? '?'}: ${error.code}`);
  }
  return document;
}

/** Sets settings of the auth-provider of a user, and leaves all else as it stands, comments included. */
export function replaceProviderSettings(
  text: string,
  user: string,
  settings: Readonly<Record<string, string>>,
): string {
  const document = parse(text);
  const users = document.get('users');
  const entry = isSeq(users) ? users.items.find((item) => isMap(item) && item.get('name') === user) : undefined;
  for (const [name, value] of Object.entries(settings))
    (entry as YAMLMap | undefined)?.setIn(['user', 'auth-provider', 'config', name], value);
  return document.toString({ lineWidth: 0 });
}
