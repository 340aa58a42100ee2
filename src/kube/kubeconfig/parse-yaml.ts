import { parseDocument } from 'yaml';

/**
 * Bundled by itself: a kubeconfig in JSON is read without it.
 * @throws Error whose message holds line, column and code, and nothing of the text: it may be a token
 */
export function parseYaml(text: string): unknown {
  const document = parseDocument(text, { prettyErrors: true, logLevel: 'silent' });
  const [error] = document.errors;
  if (error) {
    const [start] = error.linePos ?? [];
    throw new Error(`line ${start?.line ?? '?'}, column ${start?.col ?? '?'}: ${error.code}`);
  }
  return document.toJS();
}
