import type { Kind } from './kinds.ts';
import type { StoredObject } from './object.ts';
import { badRequest } from './status.ts';

export type Selection = (object: StoredObject) => boolean;

/** @throws Refusal 400 for what the real server does not understand either */
export function parseSelection(kind: Kind, query: URLSearchParams): Selection {
  const labels = parseLabelSelector(query.get('labelSelector') ?? '');
  const fields = parseFieldSelector(kind, query.get('fieldSelector') ?? '');
  return (object) => labels(object) && fields(object);
}

/** `a=b,c!=d,e in (f,g),h notin (i),j,!k` */
function parseLabelSelector(text: string): Selection {
  const requirements = splitOutsideParentheses(text).map(parseRequirement);
  return (object) => requirements.every((isMet) => isMet(object.metadata.labels ?? {}));
}

function splitOutsideParentheses(text: string): string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter(Boolean);
}

const labelKey = '[A-Za-z0-9][A-Za-z0-9_./-]*';
const setPattern = new RegExp(String.raw`^(${labelKey})\s+(in|notin)\s+\(([^)]*)\)$`);
const equalityPattern = new RegExp(String.raw`^(${labelKey})\s*(==|=|!=)\s*([A-Za-z0-9_.-]*)$`);
const existencePattern = new RegExp(`^(!?)\\s*(${labelKey})$`);

function parseRequirement(text: string): (labels: Readonly<Record<string, string>>) => boolean {
  const set = setPattern.exec(text);
  if (set) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    return (labels) => (labels[key] !== undefined && values.includes(labels[key])) === (operator === 'in');
  }
  const equality = equalityPattern.exec(text);
  if (equality) {
    const [, key = '', operator, value = ''] = equality;
    return (labels) => (labels[key] === value) === (operator !== '!=');
  }
  const existence = existencePattern.exec(text);
  if (existence) {
    const [, negation, key = ''] = existence;
    return (labels) => (labels[key] !== undefined) === (negation === '');
  }
  throw badRequest(`unable to parse requirement: found '${text}', expected: an operator`);
}

const selectableFields: Readonly<Record<string, readonly string[]>> = {
  Pod: ['spec.nodeName', 'spec.restartPolicy', 'spec.serviceAccountName', 'status.phase', 'status.podIP'],
  Secret: ['type'],
  Namespace: ['status.phase'],
  Event: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'reason',
    'type',
  ],
};

function parseFieldSelector(kind: Kind, text: string): Selection {
  const known = ['metadata.name', 'metadata.namespace', ...(selectableFields[kind.kind] ?? [])];
  const requirements = text
    .split(',')
    .filter(Boolean)
    .map((part) => {
      const [, field = '', operator, value = ''] = /^([^=!]+)(==|=|!=)(.*)$/.exec(part) ?? [];
      if (!operator) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
      if (!known.includes(field)) throw badRequest(`field label not supported: ${field}`);
      return (object: StoredObject) => (fieldOf(object, field) === value) === (operator !== '!=');
    });
  return (object) => requirements.every((isMet) => isMet(object));
}

function fieldOf(object: StoredObject, path: string): string {
  const value = path.split('.').reduce<unknown>((at, name) => (at as Record<string, unknown>)?.[name], object);
  return value === undefined ? '' : String(value);
}
