import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { openClusterRotationSite } from '../app/rotate/cluster-site.ts';
import type { RotationPorts } from '../app/rotate/ports.ts';
import { parseRecord } from '../app/rotate/record.ts';
import type { RotationSite } from '../app/rotate/world.ts';
import { quotePosix } from '../app/shell-quote.ts';
import { DaprMtlsError } from '../errors.ts';
import { asController } from '../kube/admission/caller.ts';
import { ClusterRotationStore, defaultLeaseMs } from '../store/cluster/rotation-store.ts';
import type { Place } from '../store/directory/place.ts';
import { readRecord } from '../store/directory/rotation-record.ts';
import { DirectoryRotationStore } from '../store/directory/rotation-store.ts';
import type { RotationStoreOptions } from '../store/rotation-options.ts';
import type { RotationStore } from '../store/rotation-port.ts';
import { chooseLease } from './cluster-waits.ts';
import { describeHolder } from './holder.ts';
import { keepFile } from './keep-file.ts';
import { readPassphrase } from './key-files.ts';
import { openCluster } from './open-cluster.ts';
import { openProgressDisplay, type ProgressDisplay } from './restart-progress.ts';
import { openDirectoryRotationSite } from './rotation-directory-site.ts';
import { tellOfLock, tellOfRotation } from './rotation-progress.ts';
import { parseSentryAddress, type SentryAddress } from './sentry-address.ts';
import { shakeHands } from './sentry-handshake.ts';
import { type ChangeFlags, openSite, type Site } from './site.ts';
import type { Streams } from './streams.ts';

export interface RotationFlags extends Omit<ChangeFlags, 'settle'> {
  /** Of who writes. */
  readonly settle?: number;
  readonly sentry: string | undefined;
  readonly quiet: boolean;
  readonly 'passphrase-file'?: string | undefined;
  readonly 'restart-command'?: string | undefined;
  readonly 'max-parallel'?: number;
  readonly pace?: number;
  readonly timeout?: number | undefined;
  readonly wait?: boolean;
}

/** Everything that a rotation works with, opened. */
export interface OpenRotation {
  readonly site: Site;
  readonly rotationSite: RotationSite;
  readonly rotations: RotationStore;
  readonly ports: Omit<RotationPorts, 'chooseWriter'>;
  close(): void;
}

/** Where a sidecar of a directory takes its own namespace from, as `mtls env` has it. */
const selfHostedNamespace = 'default';
const handshakeTimeoutMs = 3_000;

/** @throws DaprMtlsError `usage.*`, `cluster.*`, `dapr.*`, `key.passphrase` */
export async function openRotation(
  flags: RotationFlags,
  env: NodeJS.ProcessEnv,
  streams: Streams,
): Promise<OpenRotation> {
  const sentry = flags.sentry === undefined ? undefined : parseSentryAddress(flags.sentry);
  const passphrase = readPassphrase(flags['passphrase-file']);
  assertConfiguration(flags.config);
  const site = await openSite({ ...flags, settle: flags.settle ?? 0 }, env, streams);
  const { stop, store } = site;
  const who = describeHolder();
  // A hint is copied as it stands, and of several directories it has to mean this one.
  const wayToStore = describeWay(site, flags);
  const storeOptions: RotationStoreOptions = {
    now: () => new Date(),
    sleep: stop.sleep,
    assertRunning: stop.assertRunning,
    holder: who,
    newId: () => randomBytes(8).toString('hex'),
    onProgress: tellOfLock(streams),
    wayToStore,
  };
  const display = await openProgressDisplay(streams, env, flags.quiet);
  const { rotations, rotationSite } = openPlaces({ site, flags, env, sentry, storeOptions, display });
  return {
    site,
    rotations,
    rotationSite,
    ports: {
      store,
      rotations,
      site: rotationSite,
      clock: { now: () => new Date(), sleep: stop.sleep },
      who,
      passphrase,
      keepFile,
      assertRunning: stop.assertRunning,
      onProgress: tellOfRotation(streams, {
        stays: flags.wait === true,
        restarts: site.inCluster !== undefined || flags['restart-command'] !== undefined,
      }),
      wayToStore,
    },
    close: () => display.close(),
  };
}

/** Whoever names a Configuration wants its lifetimes counted with, and not Dapr's own. @throws DaprMtlsError `file.missing` */
function assertConfiguration(path: string | undefined): void {
  if (path === undefined || existsSync(path)) return;
  throw new DaprMtlsError('file.missing', {
    message: `--config ${path}: there is no such file, and how long certificates live is read from it`,
    hint: 'Check the path, or leave --config out.',
  });
}

/** What leads another command to the same store: a bare -k may be another cluster. */
function describeWay({ inCluster, store }: Site, { context, kubeconfig, namespace }: RotationFlags): string {
  if (!inCluster) return ` --dir ${quotePosix(store.location.name)}`;
  const flags = Object.entries({ kubeconfig, context, namespace }).flatMap(([name, value]) =>
    value === undefined ? [] : [` --${name} ${quotePosix(value)}`],
  );
  return ` -k${flags.join('')}`;
}

interface Opening {
  readonly site: Site;
  readonly flags: RotationFlags;
  readonly env: NodeJS.ProcessEnv;
  readonly sentry: Pick<SentryAddress, 'host' | 'port'> | undefined;
  readonly storeOptions: RotationStoreOptions;
  readonly display: ProgressDisplay;
}

function openPlaces({ site, flags, env, sentry, storeOptions, display }: Opening) {
  const { inCluster, place, stop } = site;
  if (inCluster) {
    const { cluster } = inCluster;
    const { namespace } = inCluster.place;
    const leaseMs = chooseLease(defaultLeaseMs, env, cluster.location.server);
    return {
      rotations: new ClusterRotationStore({ cluster, namespace }, { ...storeOptions, leaseMs }),
      rotationSite: openClusterRotationSite(cluster, {
        namespace,
        probeNamespace: 'default',
        openAsController: () => openCluster(flags, env, asController),
        shakeHands: (inside) =>
          shakeHands({ ...(sentry ?? inside), isNamed: sentry !== undefined }, handshakeTimeoutMs),
        timeoutMs: flags.timeout === undefined ? undefined : flags.timeout * 1000,
        maxParallel: flags['max-parallel'] ?? 1,
        paceMs: flags.pace ?? 0,
        clock: { now: () => new Date(), sleep: stop.sleep },
        assertRunning: stop.assertRunning,
        onProgress: display.show,
      }),
    };
  }
  if (!place) throw new Error('a store is a directory or a cluster');
  return {
    rotations: new DirectoryRotationStore(place, storeOptions),
    rotationSite: openDirectoryRotationSite({
      place,
      config: flags.config,
      namespace: selfHostedNamespace,
      sentry: sentry ?? recordedSentry(place),
      restartCommand: flags['restart-command'],
      env,
      now: () => new Date(),
      stop,
    }),
  };
}

/** Of a directory it stays where it was when the rotation was begun; whoever forwards a port of a cluster does so anew. */
function recordedSentry({ workDirectory }: Place): ReturnType<typeof parseSentryAddress> | undefined {
  const saved = readRecord(workDirectory);
  const address = saved && parseRecord(saved.content)?.settings.sentryAddress;
  return address === undefined ? undefined : parseSentryAddress(address);
}
