import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { certificatesOf, readCertificateFile } from '../../src/pki/reading.ts';
import { bundleNames } from '../support/bundles.ts';
import { type Authority, startAuthority } from './authority.ts';
import { startMesh } from './mesh.ts';
import type { Service } from './service.ts';
import type { Tally } from './tally.ts';

/** Two applications call each other. */
const applications = ['shop', 'stock'] as const;
export type Application = (typeof applications)[number];

/** In which order a rolling restart goes. */
export const restartOrders = [
  ['shop', 'stock'],
  ['stock', 'shop'],
] as const satisfies readonly (readonly Application[])[];

/** How long a rolling restart lets old and new services stand beside each other. */
const overlapMs = 2500;

/** A Sentry on a directory, and applications that call each other all the time. */
export interface Town {
  readonly directory: string;
  readonly authority: Authority;
  /** Names what goes on from now, for the tally of what was lost. */
  during(phase: string): void;
  /** Writes files as an operator does who knows how, and waits until Sentry works with them. */
  lay(files: Partial<BundleFiles>): Promise<void>;
  /**
   * Starts every application anew with these anchors, one after the other: the new service is called
   * before the old one is called by nobody any more, and only then stopped.
   */
  roll(anchors: Buffer | string, order?: readonly Application[]): Promise<void>;
  /** Lets them call each other for a while. */
  pass(seconds: number): Promise<void>;
  /** Stops everything in order. */
  leave(): Promise<Tally>;
}

/** @param folder one of its own, in which the directory `certs` is made */
export async function startTown(program: string, folder: string, files: BundleFiles): Promise<Town> {
  const directory = join(folder, 'certs');
  mkdirSync(directory, { mode: 0o700 });
  writeParts(directory, folder, files);
  const authority = await startAuthority(program, directory);
  const mesh = startMesh(program, authority.address);
  const live: BundleFiles = { ...files };
  const services = new Map<Application, Service>();
  const start = (id: Application, anchors: Buffer | string) =>
    mesh.join({ id, anchors, namespace: 'default', controlPlaneNamespace: 'default' });
  for (const id of applications) services.set(id, await start(id, files.anchors));

  return {
    directory,
    authority,
    during: mesh.during,
    lay: async (change) => {
      Object.assign(live, change);
      writeParts(directory, folder, change);
      const [issuer] = fingerprintsOf('issuerChain', live.issuerChain);
      await authority.worksWith(issuer ?? '', fingerprintsOf('anchors', live.anchors));
    },
    roll: async (anchors, order = applications) => {
      for (const id of order) {
        const before = services.get(id);
        services.set(id, await start(id, anchors));
        await sleep(overlapMs);
        if (before) await mesh.part(before);
        await sleep(overlapMs);
      }
    },
    pass: (seconds) => sleep(seconds * 1000),
    leave: async () => {
      const tally = await mesh.close();
      await authority.stop();
      return tally;
    },
  };
}

/** Renames back to back from beside the directory: Sentry sees no half of a change (dapr-facts, section 8). */
function writeParts(directory: string, beside: string, files: Partial<BundleFiles>): void {
  const parts = Object.entries(files) as [keyof BundleFiles, Buffer][];
  const staged = parts.map(([part, bytes]) => {
    const path = join(beside, bundleNames[part]);
    writeFileSync(path, bytes, { mode: 0o600 });
    return [path, join(directory, bundleNames[part])] as const;
  });
  for (const [from, to] of staged) renameSync(from, to);
}

function fingerprintsOf(part: 'anchors' | 'issuerChain', bytes: Buffer): string[] {
  return certificatesOf(readCertificateFile(part, bytes)).map(({ fingerprint }) => fingerprint);
}
