import { renderYaml } from './yaml.ts';

/** As `kubectl apply -f -` takes them: YAML documents, or one List in JSON. */
export function renderManifest(objects: readonly object[], format: string): string {
  if (format === 'json') {
    return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }, undefined, 2)}\n`;
  }
  return objects.map(renderOne).join('---\n');
}

/** What is no object of Kubernetes, such as a file of rules. */
export function renderFile(document: object, format: string): string {
  if (format === 'json') return `${JSON.stringify(document, undefined, 2)}\n`;
  return renderOne(document);
}

/** Queries and templates stay on their lines: people look for them. */
function renderOne(object: object): string {
  return renderYaml(object, 0);
}
