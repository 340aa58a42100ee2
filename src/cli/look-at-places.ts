import type { Observation } from '../app/observation/observation.ts';
import { asksForSeveral } from './clusters-flags.ts';
import type { LookAtOne, SeveralFlags } from './several-clusters.ts';
import type { Streams } from './streams.ts';

/**
 * Looks at the place that the flags name, or at each of the clusters that they name.
 * @param look the context is left out where the flags alone say which place is meant
 * @returns what the one look has found; undefined where several were looked at, which is written already
 * @throws DaprMtlsError what the look throws, `cluster.kubeconfig`, `usage.invalid`
 */
export async function lookAtPlaces<Found extends Awaited<ReturnType<LookAtOne>>>(
  command: Observation['command'],
  flags: SeveralFlags,
  surroundings: { readonly env: NodeJS.ProcessEnv; readonly streams: Streams },
  look: (context?: string) => Promise<Found>,
): Promise<Found | undefined> {
  if (!asksForSeveral(flags)) return await look();
  const { lookAtSeveral } = await import('./several-clusters.ts');
  process.exitCode = await lookAtSeveral(command, flags, surroundings, look);
  return undefined;
}
