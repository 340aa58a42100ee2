import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { certificatesOf, readCertificateFile } from '../../src/pki/reading.ts';
import { bundleNames } from '../support/bundles.ts';
import { type Authority, startAuthority } from './authority.ts';
import { type Neighbourhood, type Service, startService } from './service.ts';
import { startCounting, type Tally } from './tally.ts';

/** Two applications call each other, each ten times a second. */
export const applications = ['shop', 'stock'] as const;
export type Application = (typeof applications)[number];

/** In which order a rolling restart goes. */
export const restartOrders = [
  ['shop', 'stock'],
  ['stock', 'shop'],
] as const satisfies readonly (readonly Application[])[];

const callsPerSecond = 20;
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
   * Starts every application anew with these anchors, one after the other: the new service is ready
   * and known before the old one is called by nobody any more, and only then stopped. By itself
   * this loses no call.
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
  const live: BundleFiles = { ...files };
  writeParts(directory, folder, files);
  const authority = await startAuthority(program, directory);
  const counter = startCounting();
  const services = new Map<Application, Service>();
  let revision = 0;

  const around = (known: Iterable<Service>, id: string): Neighbourhood => ({
    revision,
    authority: authority.address,
    peers: [...known].map(({ peer }) => peer).filter((peer) => peer.id !== id),
  });
  /** Tells `listeners` to call those of `known` that are not of their own application. */
  const announce = async (known: readonly Service[], listeners: readonly Service[]) => {
    revision++;
    await Promise.all(listeners.map((service) => service.tell(around(known, service.peer.id))));
  };
  const replace = async (id: Application, anchors: Buffer | string) => {
    const before = services.get(id);
    const others = [...services.values()].filter((service) => service !== before);
    const neighbourhood = around(others, id);
    const born = await startService(program, {
      id,
      anchors,
      neighbourhood,
      callsPerSecond: callsPerSecond / applications.length,
      onCall: counter.count,
    });
    services.set(id, born);
    if (!before) return announce([...services.values()], [...services.values()]);
    await announce([...others, before, born], others);
    await sleep(overlapMs);
    await announce([...others, born], others);
    await before.stop();
    await sleep(overlapMs);
  };

  const town: Town = {
    directory,
    authority,
    during: counter.during,
    lay: async (change) => {
      Object.assign(live, change);
      writeParts(directory, folder, change);
      const [issuer] = fingerprintsOf('issuerChain', live.issuerChain);
      await authority.worksWith(issuer ?? '', fingerprintsOf('anchors', live.anchors));
    },
    roll: async (anchors, order = applications) => {
      for (const id of order) await replace(id, anchors);
    },
    pass: (seconds) => sleep(seconds * 1000),
    leave: async () => {
      await announce([], [...services.values()]);
      await Promise.all([...services.values()].map((service) => service.stop()));
      await authority.stop();
      return counter.total();
    },
  };
  for (const id of applications) await replace(id, files.anchors);
  return town;
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
