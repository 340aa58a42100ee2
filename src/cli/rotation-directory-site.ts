import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describeEnvironment } from '../app/environment.ts';
import { type LeafSettings, leafSettingsOf } from '../app/rotate/leaf-settings.ts';
import type { RestartRequest, RotationSite, SentryView } from '../app/rotate/world.ts';
import { quotePosix } from '../app/shell-quote.ts';
import type { Place } from '../store/directory/place.ts';
import { findSettings } from './configuration-file.ts';
import { findTrustDomain } from './environment.ts';
import { openDirectory } from './open-store.ts';
import { runRestartCommand } from './run-restart-command.ts';
import type { SentryAddress } from './sentry-address.ts';
import { shakeHands } from './sentry-handshake.ts';
import type { StopSwitch } from './stop.ts';

export interface DirectorySiteOptions {
  readonly place: Place;
  /** The file that `--config` names. */
  readonly config: string | undefined;
  /** Of the control plane and the sidecars. */
  readonly namespace: string;
  /** Where Sentry listens; undefined where nobody has told. */
  readonly sentry: Pick<SentryAddress, 'host' | 'port'> | undefined;
  /** `--restart-command`. */
  readonly restartCommand: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => Date;
  readonly stop: Pick<StopSwitch, 'assertRunning' | 'sleep'>;
}

const handshakeTimeoutMs = 5_000;

/** A directory as the place of a rotation: nobody can list its daprds, and who restarts them has to be told. */
export function openDirectoryRotationSite(options: DirectorySiteOptions): RotationSite {
  return {
    kind: 'directory',
    instant: async () => options.now(),
    gather: async () => ({
      at: options.now(),
      sidecars: undefined,
      services: undefined,
      handout: { kind: 'unknown', reason: 'the sidecars of a directory get their anchors from whoever starts them' },
      sentry: await viewSentry(options.sentry),
      settings: await readLeafSettings(options),
    }),
    restart: async (request) => await restart(request, options),
  };
}

/** Undefined without a file: who goes on may have left `--config` out. */
async function readLeafSettings({
  place,
  config,
}: Pick<DirectorySiteOptions, 'place' | 'config'>): Promise<LeafSettings | undefined> {
  if (!existsSync(config ?? join(place.workDirectory, 'config.yaml'))) return undefined;
  const { settings, problem } = await findSettings(place, config);
  return problem === undefined ? leafSettingsOf(settings) : undefined;
}

async function viewSentry(address: DirectorySiteOptions['sentry']): Promise<SentryView> {
  if (!address)
    return { kind: 'unknown', reason: 'it is not known where Sentry listens: name it with --sentry HOST:PORT' };
  const seen = await shakeHands({ ...address, isNamed: true }, handshakeTimeoutMs);
  if (seen.kind === 'answered') return { kind: 'shown', chain: seen.chain };
  return { kind: 'unknown', reason: `Sentry does not answer at ${seen.address}: ${seen.reason}` };
}

async function restart(
  { phase, scopes, mayBegin = async () => true }: RestartRequest,
  { restartCommand: command, env, stop, ...options }: DirectorySiteOptions,
): ReturnType<RotationSite['restart']> {
  // Sentry reads its files again by itself.
  const isOfSentryAlone = scopes.every((scope) => scope === 'sentry');
  if (command === undefined || isOfSentryAlone || !(await mayBegin()))
    return { carriedOut: false, restarted: [], remarks: [] };
  const purpose = `${scopes.join(', ')} in the phase ${phase}`;
  const told = { DAPR_MTLS_PHASE: phase, DAPR_MTLS_SCOPES: scopes.join(',') };
  const variables = { ...withoutIssuer(env), ...(await readVariables(options)), ...told };
  const wayToStore = ` --dir ${quotePosix(options.place.directory)}`;
  await runRestartCommand({ command, purpose, env: variables, stop, wayToStore });
  return { carriedOut: true, restarted: [`by --restart-command: ${scopes.join(', ')}`], remarks: [] };
}

/** As `mtls env` prints them, of the bundle as it stands now. */
async function readVariables({
  place,
  config,
  namespace,
}: Pick<DirectorySiteOptions, 'place' | 'config' | 'namespace'>): Promise<Readonly<Record<string, string>>> {
  const store = openDirectory(place);
  const trustDomain = await findTrustDomain(place, config);
  const input = { trustDomain, namespace, withIssuerKey: false };
  return describeEnvironment(await store.read(), store.location, input).variables;
}

/** Those of the shell are of the issuer before, and a key is nothing to hand on. */
function withoutIssuer({ DAPR_CERT_CHAIN: _chain, DAPR_CERT_KEY: _key, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return env;
}
