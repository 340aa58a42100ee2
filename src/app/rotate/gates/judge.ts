import { followSettings } from '../leaf-settings.ts';
import { liveStage, neededAnchors } from '../live-stage.ts';
import type { GateName, PhaseRecord, RotationRecord } from '../record.ts';
import { readStages } from '../stage-record.ts';
import type { Stages } from '../stages.ts';
import type { World } from '../world.ts';
import { askForLateClients } from './confirmations.ts';
import { type GateContext, type GateVerdict, join } from './gate.ts';
import { judgeIssuer } from './issuer.ts';
import { judgeLeaves } from './leaves.ts';
import { judgePublished } from './published.ts';
import { judgeVerifiers } from './verifiers.ts';

/** What the gates of a phase have to say of the world as it is. Pure. */
export function judgePhase(
  record: RotationRecord,
  phase: PhaseRecord,
  world: World,
  wayToStore: string,
  stages: Stages = readStages(record),
): GateVerdict {
  const live = stages[liveStage(record)];
  if (!live) throw new Error('a phase that has begun has a bundle');
  const { settings } = followSettings(record.settings, world, phase.name);
  const needed = neededAnchors(record, stages);
  const context: GateContext = { record: { ...record, settings }, phase, live, needed, world, wayToStore };
  const verdicts = [...phase.gates.map((gate) => judgeGate(gate, context)), askForLateClients(context)];
  return join(world.isOwnClock ? [...verdicts, ownClock] : verdicts);
}

const ownClock: GateVerdict = {
  evidence: ["What started when is told by this machine's clock: the API server's may not be asked"],
  waits: [],
};

/** Whether what has been seen is enough to go on. Pure. */
export function judgeGate(gate: GateName, context: GateContext): GateVerdict {
  switch (gate) {
    case 'verifiers-updated':
      return judgeVerifiers(context);
    case 'issuer-switched':
      return judgeIssuer(context);
    case 'old-leaves-gone':
      return judgeLeaves(context);
    case 'anchors-published':
      return judgePublished(context);
  }
}
