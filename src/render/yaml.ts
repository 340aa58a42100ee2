import { stringify } from 'yaml';

/**
 * Without aliases: what several parts of a document share stands in each of them, for who reads it line by line
 * and for parsers that take a hundred aliases for an attack.
 * @param lineWidth where long texts are broken; 0: nowhere
 */
export function renderYaml(report: object, lineWidth = 80): string {
  return stringify(report, { lineWidth, aliasDuplicateObjects: false });
}
