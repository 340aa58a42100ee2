import { type Confirmable, isWayBack, type PhaseRecord } from '../record.ts';
import type { GateContext, GateVerdict } from './gate.ts';

type Asked = Pick<GateContext, 'record' | 'phase' | 'wayToStore'>;

export function askFor(what: Confirmable, context: Asked): GateVerdict {
  const confirmation = findConfirmation(what, context);
  if (confirmation) return { evidence: [`${confirmation.by} confirmed ${what} at ${confirmation.at}`], waits: [] };
  const { question, other } = questions[what];
  return {
    evidence: [],
    waits: [
      {
        what: question,
        mend: `When that is so: \`dapr-mtls rotate confirm ${what}${context.wayToStore}\`${other}.`,
        until: undefined,
      },
    ],
  };
}

function findConfirmation(what: Confirmable, { record, phase }: Asked) {
  return record.confirmations.findLast((entry) => entry.what === what && entry.phase === phase.name);
}

/**
 * Clients that could not join yet when the gates asked whether all verifiers have followed: whatever comes behind
 * those gates waits until somebody answers for them. On the way back the old issuer signs again, which they verify.
 */
export function askForLateClients(context: Asked): GateVerdict {
  const { phase, record } = context;
  const { settings, confirmations, phases } = record;
  const nothing: GateVerdict = { evidence: [], waits: [] };
  const asks = ({ gates }: Pick<PhaseRecord, 'gates'>) => gates.includes('verifiers-updated');
  if (settings.externalClientsSince === undefined || isWayBack(phase) || asks(phase)) return nothing;
  const said = confirmations.filter(({ what }) => what === 'external-clients').map((entry) => entry.phase);
  if (!phases.some((one) => one.status === 'passed' && asks(one) && !said.includes(one.name))) return nothing;
  const orderOf = (name: PhaseRecord['name']) => phases.findIndex((one) => one.name === name);
  const first = orderOf(settings.externalClientsSince);
  const later = said.findLast((name) => orderOf(name) >= first) ?? phase.name;
  return askFor('external-clients', { ...context, phase: { ...phase, name: later } });
}

const questions: Record<Confirmable, { readonly question: string; readonly other: string }> = {
  'external-clients': {
    question:
      'clients that join with tokens of their own (tokenValidators) are in no audit: do they have the anchors of today?',
    other: '',
  },
  restarted: {
    question: 'nobody sees the sidecars of a directory: was every one started anew, with the anchors of today?',
    other: ', or give `--restart-command`',
  },
  'issuer-switched': {
    question: 'nobody has asked Sentry which issuer it signs with: has it read its files again?',
    other: ', or give `--sentry HOST:PORT`',
  },
};
