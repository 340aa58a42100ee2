import { createHash } from 'node:crypto';
import type { KubeObject } from '../../../src/kube/port.ts';

/** An object as a chart or a controller writes it. */
export interface Manifest extends KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  // biome-ignore lint/suspicious/noExplicitAny: the shapes are Kubernetes' own, and tests reach deep into them
  readonly [field: string]: any;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly [field: string]: unknown;
}

/** The same for the same object at any time, so that owners can be named before they are made. */
export function uidOf(kind: string, namespace: string, name: string): string {
  const hex = createHash('sha256').update(`${kind}/${namespace}/${name}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

const safeLetters = 'bcdfghjklmnpqrstvwxz2456789';

/** Letters as controllers use them in the names of what they make. */
export function letters(seed: string, count: number): string {
  return [...createHash('sha256').update(seed).digest().subarray(0, count)]
    .map((byte) => safeLetters[byte % safeLetters.length])
    .join('');
}

/** `pod-template-hash`: another one for every other template. */
export function hashTemplate(template: object): string {
  const hash = hashes.get(template) ?? letters(JSON.stringify(template), 10);
  hashes.set(template, hash);
  return hash;
}

const hashes = new WeakMap<object, string>();

export function fromField(name: string, fieldPath: string): object {
  return { name, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } };
}
