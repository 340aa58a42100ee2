import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { checkBundle } from '../../src/app/check/check.ts';
import { type ExpiryReport, reportExpiry } from '../../src/app/expiry.ts';
import { surveyDirectory } from '../../src/cli/survey.ts';
import { certificatesOf, type FoundFiles, readCertificateFile } from '../../src/pki/reading.ts';
import type { Finding } from '../../src/pki/rules/finding.ts';
import { whySentryRefuses } from '../../src/pki/sentry.ts';
import { locate } from '../../src/store/directory/place.ts';
import { DirectoryReader } from '../../src/store/directory/read.ts';
import type { StoredBundle } from '../../src/store/port.ts';
import { findPrivateKeys, listTree, snapshot } from '../support/directory.ts';
import type { Program } from '../support/program.ts';

/** What the readers among the commands see in the store of a folder. */
export interface Sight {
  readonly stored: StoredBundle;
  readonly expiry: ExpiryReport | undefined;
  readonly findings: readonly Finding[];
}

/** Reads as `expiry` and `check` do, and proves that reading writes nothing. */
export async function look(folder: string): Promise<Sight> {
  const before = snapshot(folder);
  const place = locate(join(folder, 'certs'));
  const reader = new DirectoryReader(place);
  const stored = await reader.read();
  const at = new Date();
  const sight = {
    stored,
    expiry: isThere(stored) ? reportExpiry(stored, reader.location, at) : undefined,
    findings: isThere(stored)
      ? checkBundle(stored, reader.location, await surveyDirectory(place, undefined), {
          at,
          warnBeforeMs: 0,
          daprVersion: undefined,
        }).findings
      : [],
  };
  expect(snapshot(folder)).toEqual(before);
  return sight;
}

/** The same with the commands themselves. */
export async function lookWithCommands(program: Program, folder: string, sight: Sight): Promise<void> {
  const before = snapshot(folder);
  const [expiry, check] = await Promise.all(
    ['expiry', 'check'].map(async (command) => {
      const { stdout } = await program.run([command, '--dir', 'certs', '--format', 'json'], { cwd: folder });
      return JSON.parse(stdout);
    }),
  );
  expect(snapshot(folder)).toEqual(before);
  if (!sight.expiry) {
    expect([expiry, check]).toMatchObject([{ code: 'store.missing' }, { code: 'store.missing' }]);
    return;
  }
  const fingerprints = ({ certificates }: ExpiryReport) => certificates.map(({ fingerprint }) => fingerprint);
  expect(fingerprints(expiry)).toEqual(fingerprints(sight.expiry));
  expect(expiry.store.state).toBe(sight.stored.state);
  expect(check.findings.map(({ code }: Finding) => code)).toEqual(sight.findings.map(({ code }) => code));
}

/**
 * Which certificates of a bundle were in another one, and whether the key was: a mixture of two
 * bundles has another outline than either.
 */
export function outline(files: FoundFiles, other: FoundFiles): string {
  const certificates = (part: 'anchors' | 'issuerChain', { [part]: bytes }: FoundFiles) =>
    certificatesOf(bytes && readCertificateFile(part, bytes)).map(({ fingerprint }) => fingerprint);
  const origins = (part: 'anchors' | 'issuerChain') => {
    const others = certificates(part, other);
    const numbers = certificates(part, files).map((fingerprint) => others.indexOf(fingerprint));
    return numbers.map((number) => (number < 0 ? 'new' : `old ${number + 1}`)).join(', ');
  };
  const isSameKey = files.issuerKey !== undefined && other.issuerKey?.equals(files.issuerKey);
  return `ca.crt: ${origins('anchors')}; issuer.crt: ${origins('issuerChain')}; key: ${isSameKey ? 'old' : 'new'}`;
}

export function expectAccepted({ anchors, issuerChain, issuerKey }: FoundFiles): void {
  if (!anchors || !issuerChain || !issuerKey) throw new Error('a file of the bundle is missing');
  expect(whySentryRefuses({ anchors, issuerChain, issuerKey }, new Date())).toBeUndefined();
}

export function isThere({ files }: StoredBundle): boolean {
  return Object.values(files).some((content) => content !== undefined);
}

/** Nothing is left of a run but what it was to make. */
export function expectNothingLeft(folder: string, keyFiles: readonly string[], context = ''): void {
  const isAllowed = (path: string) =>
    path === 'certs/issuer.key' ||
    /^certs\/\.\.[^/]+\/issuer\.key$/.test(path) ||
    /^certs\.mtls\/backups\/\d[^/]*\/issuer\.key$/.test(path) ||
    keyFiles.includes(path);
  expect(
    findPrivateKeys(folder).filter((path) => !isAllowed(path)),
    context,
  ).toEqual([]);
  const ofRuns = list(join(folder, 'certs.mtls')).filter((name) => !['backups', 'config.yaml'].includes(name));
  expect(ofRuns, context).toEqual([]);
  expect(
    listTree(folder).filter((path) => /\/\.[^./]/.test(path)),
    context,
  ).toEqual([]);
  // With ..data: the link and one folder.
  expect(list(join(folder, 'certs')).filter((name) => name.startsWith('..')).length).toBeLessThanOrEqual(2);
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
