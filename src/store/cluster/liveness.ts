import { identifyThisProcess, livenessOf, type ProcessIdentity } from '../directory/process-identity.ts';

/**
 * Whether a run's process is known to be gone: it ran on this very machine since its last start, and
 * is not there any more. A name alone proves nothing here: runs come from many machines, and some of
 * them share one.
 * @param owner undefined where the run told nothing of itself
 */
export function isProvablyDead(owner: ProcessIdentity | undefined): boolean {
  if (!owner?.bootId) return false;
  const here = identifyThisProcess();
  return owner.bootId === here.bootId && owner.host === here.host && livenessOf(owner) === 'dead';
}
