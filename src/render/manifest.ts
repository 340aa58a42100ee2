import { renderYaml } from './yaml.ts';

/** As `kubectl apply -f -` takes them: YAML documents, or one List in JSON. */
export function renderManifest(objects: readonly object[], format: string): string {
  if (format === 'json') {
    return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }, undefined, 2)}\n`;
  }
  // Copies, because what several objects share would be written once, and as an alias in the others.
  return objects.map((object) => renderYaml(JSON.parse(JSON.stringify(object)))).join('---\n');
}

/** What is no object of Kubernetes, such as a file of rules. */
export function renderFile(document: object, format: string): string {
  if (format === 'json') return `${JSON.stringify(document, undefined, 2)}\n`;
  return renderYaml(JSON.parse(JSON.stringify(document)));
}
