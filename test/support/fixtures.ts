import { readFileSync } from 'node:fs';
import type { BundleFiles } from '../../src/pki/bundle.ts';

/** Bundles that other programs made; see fixtures/pki/README.md. */
export const foreignBundles = ['sentry-1.11', 'sentry-1.17', 'sentry-1.18', 'step', 'openssl-docs'] as const;
export type ForeignBundle = (typeof foreignBundles)[number];

/** An instant at which all of them are valid. */
export const fixtureInstant = new Date('2026-12-01T12:00:00Z');

export function fixturePath(path: string): string {
  return new URL(`../../fixtures/${path}`, import.meta.url).pathname;
}

export function readFixture(path: string): Buffer {
  return readFileSync(fixturePath(path));
}

export function readForeignBundle(name: ForeignBundle): BundleFiles {
  return {
    anchors: readFixture(`pki/${name}/ca.crt`),
    issuerChain: readFixture(`pki/${name}/issuer.crt`),
    issuerKey: readFixture(`pki/${name}/issuer.key`),
  };
}
