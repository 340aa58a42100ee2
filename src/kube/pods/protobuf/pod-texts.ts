import { type LabelName, labelNames } from '../pod-facts.ts';
import type { ReadText } from './message-reader.ts';
import { recallLast, recallTexts } from './recall-text.ts';

/**
 * How the texts of pods are read, by what they are: in a list the pods of one workload stand together, and nearly
 * all of their texts are those of the pod before. Making 100,000 strings takes as long as finding their bytes.
 */
export interface PodTexts {
  readonly namespace: ReadText;
  readonly labels: Readonly<Record<LabelName, ReadText>>;
  readonly ownerKind: ReadText;
  readonly ownerName: ReadText;
  readonly ownerUid: ReadText;
  readonly node: ReadText;
  readonly phase: ReadText;
  readonly container: ReadText;
  readonly image: ReadText;
  readonly appIdFlag: ReadText;
  readonly appId: ReadText;
  readonly trustAnchors: ReadText;
}

export function recallPodTexts(): PodTexts {
  return {
    namespace: recallLast(),
    labels: Object.fromEntries(labelNames.map((name) => [name, recallLast()])) as Record<LabelName, ReadText>,
    ownerKind: recallLast(),
    ownerName: recallLast(),
    ownerUid: recallLast(),
    node: recallLast(),
    phase: recallLast(),
    container: recallLast(),
    image: recallLast(),
    appIdFlag: recallLast(),
    appId: recallLast(),
    trustAnchors: recallTexts(),
  };
}
