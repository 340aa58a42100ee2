import { stringify } from 'yaml';

/** @param lineWidth where long texts are broken; 0: nowhere */
export function renderYaml(report: object, lineWidth = 80): string {
  return stringify(report, { lineWidth });
}
