import { nameSome } from './plan.ts';
import { brokenPairs, type Proof } from './proof.ts';

type Found = Pick<Proof, 'pairs' | 'cutOff'>;

/** What a proof has found, for the history. */
export function describeProof(proof: Found): string {
  const broken = brokenPairs(proof).length;
  const lost = listCutOff(proof);
  return [
    `${proof.pairs.length} pairs verified`,
    ...(broken > 0 ? [`, ${broken} of them cannot`] : []),
    ...(lost.length > 0 ? [`; cut off until they are restarted: ${nameSome(lost, 20)}`] : []),
  ].join('');
}

/** NAMESPACE/NAME of who verifies nobody already, and of whom the step parts from somebody. */
export function listCutOff(proof: Found): string[] {
  return [...new Set([...proof.cutOff, ...brokenPairs(proof).flatMap(({ workloads }) => workloads)])].sort();
}
