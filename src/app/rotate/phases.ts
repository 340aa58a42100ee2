import type { Drain, Phase, Procedure, RestartScope } from './record.ts';
import type { Stage, Stages } from './stages.ts';

/**
 * The order of a procedure. Each phase begins where the gates of the one before have closed, so that
 * nobody ever shows what somebody cannot verify yet, and nothing goes that somebody still needs.
 */
export function phasesOf(procedure: Procedure, drain: Drain, stages: Stages): Phase[] {
  const drained: Phase = {
    name: 'drain',
    writes: undefined,
    restarts: whoDrains(drain),
    gates: ['old-leaves-gone'],
  };
  const retired: Phase = {
    name: 'retire',
    writes: 'after',
    restarts: ['sentry', 'services'],
    gates: ['issuer-switched', 'anchors-published'],
  };
  const { switched, after } = stages;
  const ending = switched && after && isSameStage(switched, after) ? [] : [drained, retired];
  switch (procedure) {
    case 'same-root':
      return [{ name: 'switch', writes: 'after', restarts: ['sentry'], gates: ['issuer-switched'] }];
    case 'staged':
      return [
        {
          name: 'distribute',
          writes: 'both-anchors',
          restarts: ['sentry', 'services', 'applications'],
          gates: ['verifiers-updated'],
        },
        { name: 'switch', writes: 'switched', restarts: ['sentry'], gates: ['issuer-switched'] },
        ...ending,
      ];
    case 'same-key':
    case 'bridge':
      return [
        { name: 'switch', writes: 'switched', restarts: ['sentry'], gates: ['issuer-switched'] },
        { name: 'distribute', writes: undefined, restarts: ['services', 'applications'], gates: ['verifiers-updated'] },
        ...ending,
      ];
    case 'retire':
      return [
        // Nothing is written, but from now on it is known which issuer everybody's certificates are of.
        { name: 'switch', writes: undefined, restarts: ['sentry'], gates: ['issuer-switched'] },
        { name: 'distribute', writes: undefined, restarts: ['services', 'applications'], gates: ['verifiers-updated'] },
        drained,
        retired,
      ];
    case 'replace':
      return [
        {
          name: 'replace',
          writes: 'switched',
          restarts: ['sentry', 'services', 'applications'],
          gates: ['issuer-switched', 'verifiers-updated'],
        },
        ...ending,
      ];
  }
}

/** Where nothing old is left behind the switch, nothing has to go. */
function isSameStage(one: Stage, other: Stage): boolean {
  return one.files.anchors.equals(other.files.anchors) && one.files.issuerChain.equals(other.files.issuerChain);
}

/**
 * The way back. Before anybody has shown a certificate of the new issuer the new anchor simply goes;
 * after that the old issuer signs again while everybody holds both anchors, and the new anchor goes
 * when the last certificate of the new issuer has ended.
 * @param hasSwitched whether Sentry may have signed with the new issuer
 */
export function phasesBack(procedure: Procedure, hasSwitched: boolean, drain: Drain): Phase[] {
  const restored: Phase = {
    name: 'undo-distribute',
    writes: 'before',
    restarts: ['sentry', 'services'],
    gates: ['issuer-switched', 'anchors-published'],
  };
  if (procedure === 'same-root')
    return [{ name: 'undo-switch', writes: 'before', restarts: ['sentry'], gates: ['issuer-switched'] }];
  if (!hasSwitched) return [restored];
  return [
    { name: 'undo-switch', writes: 'both-anchors', restarts: ['sentry'], gates: ['issuer-switched'] },
    {
      name: 'undo-drain',
      writes: undefined,
      restarts: whoDrains(drain),
      gates: ['old-leaves-gone'],
    },
    restored,
  ];
}

/** Whoever is restarted asks for a certificate anew, and gets it from the issuer of that moment. */
export function whoDrains(drain: Drain): RestartScope[] {
  return drain === 'restart' ? ['services', 'applications'] : [];
}
