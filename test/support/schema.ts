import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { packageHome } from './command-line.ts';

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
(formats as unknown as { default: (ajv: Ajv2020) => void }).default(ajv);
const validate = ajv.compile(JSON.parse(readFileSync(`${packageHome}schemas/dapr-mtls.v1.json`, 'utf8')));

/** What the published schema has against a document; empty when it is as promised. */
export function schemaViolations(document: unknown): string[] {
  if (validate(document)) return [];
  const kind = (document as { kind?: string }).kind;
  const errors = validate.errors ?? [];
  const ofKind = errors.filter(({ schemaPath }) => schemaPath.startsWith(`#/$defs/${kind}/`));
  return (ofKind.length > 0 ? ofKind : errors).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
