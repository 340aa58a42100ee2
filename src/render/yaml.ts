import { stringify } from 'yaml';

export function renderYaml(report: object): string {
  return stringify(report);
}
