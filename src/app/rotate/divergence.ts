import { DaprMtlsError } from '../../errors.ts';
import type { Certificate } from '../../pki/certificate.ts';
import type { FoundFiles } from '../../store/port.ts';
import { readAnchors } from './held-anchors.ts';
import type { StageName } from './record.ts';
import { isStage } from './stage-record.ts';
import type { Stage, Stages } from './stages.ts';

/**
 * Why a rotation may not go on over a bundle that somebody else has written, with what differs.
 * @param expected the stage that the record tells of
 */
export function diverged(stages: Stages, files: FoundFiles, expected: StageName, wayToStore: string): DaprMtlsError {
  const known = Object.entries(stages).find(([, stage]) => isStage(stage, files));
  const what = known ? `it is that of the stage ${known[0]}` : describeDifference(stages[expected], files);
  return new DaprMtlsError('rotation.diverged', {
    message: `the bundle is not the one that the rotation has recorded (${expected}): ${what}; nothing was written`,
    hint: `Look at both: \`dapr-mtls inspect${wayToStore}\`, \`dapr-mtls rotate status${wayToStore}\`. Find out who wrote it. To put the recorded one back and go on: \`dapr-mtls rotate run${wayToStore} --put-back\`. To keep what stands there and give the rotation up: \`dapr-mtls rotate undo${wayToStore} --abandon\`.`,
  });
}

function describeDifference(stage: Stage | undefined, files: FoundFiles): string {
  const found = readFound(files);
  const differences = [
    ['anchors', nameAll(found.anchors), nameAll(stage?.anchors ?? [])],
    ['the issuer', nameAll(found.issuers), nameAll(stage?.issuerChain.slice(0, 1) ?? [])],
  ].filter(([, there, recorded]) => there !== recorded);
  if (differences.length === 0) return 'the same certificates in other bytes, or with another key';
  return differences.map(([part, there, recorded]) => `${part} there ${there}, recorded ${recorded}`).join('; ');
}

/** The certificates of a stage, as the history tells them. */
export function describeStage(stage: Stage | undefined): string {
  return `anchors ${nameAll(stage?.anchors ?? [])}, issuer ${nameAll(stage?.issuerChain.slice(0, 1) ?? [])}`;
}

/** The same of what stands in the store, whatever it is. */
export function describeFiles(files: FoundFiles): string {
  const { anchors, issuers } = readFound(files);
  return `anchors ${nameAll(anchors)}, issuer ${nameAll(issuers)}`;
}

function readFound({ anchors, issuerChain }: FoundFiles) {
  return { anchors: readAnchors(anchors ?? ''), issuers: readAnchors(issuerChain ?? '').slice(0, 1) };
}

function nameAll(certificates: readonly Certificate[]): string {
  return certificates.map(({ fingerprint }) => fingerprint.slice(0, 16)).join(' and ') || 'none';
}
