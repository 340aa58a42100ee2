import type { Confirmable } from '../record.ts';
import type { GateContext, GateVerdict } from './gate.ts';

export function askFor(what: Confirmable, context: GateContext): GateVerdict {
  const confirmation = isConfirmed(what, context);
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

function isConfirmed(what: Confirmable, { record, phase }: GateContext) {
  return record.confirmations.findLast((entry) => entry.what === what && entry.phase === phase.name);
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
