import { holdsAll, readAnchors } from '../held-anchors.ts';
import type { Stage } from '../stages.ts';
import { fingerprintOf, type GateContext, type GateVerdict, join, sinceOf } from './gate.ts';
import { judgeServices } from './services.ts';

export function judgePublished(context: GateContext): GateVerdict {
  const { world, phase, record, live } = context;
  if (!world.services) return { evidence: ['The files were read back after they were written'], waits: [] };
  const started = judgeServices(world.services, sinceOf(phase, record.phases), context);
  return join([started, judgeHandedOut(context, live)]);
}

function judgeHandedOut({ world, wayToStore }: GateContext, { anchors }: Stage): GateVerdict {
  const { handout } = world;
  if (handout.kind === 'unknown')
    return { evidence: [`What the next pod gets was not asked: ${handout.reason}`], waits: [] };
  const given = readAnchors(handout.pem);
  if (holdsAll(given, anchors.map(fingerprintOf)) && holdsAll(anchors, given.map(fingerprintOf)))
    return { evidence: ['The injector gives exactly these anchors to the next pod'], waits: [] };
  return {
    evidence: [],
    waits: [
      {
        what: 'the injector still gives other anchors to the next pod',
        mend: `It reads them when it starts: \`dapr-mtls restart${wayToStore}\`.`,
        until: undefined,
      },
    ],
  };
}
