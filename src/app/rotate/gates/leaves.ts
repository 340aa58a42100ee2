import { injectorName } from '../../../kube/admission/webhook.ts';
import { longestLifeMs } from '../leaf-settings.ts';
import type { ServiceInstance } from '../world.ts';
import { type GateContext, type GateVerdict, isSkipped, sinceOf, type Wait } from './gate.ts';
import { othersThanSentry } from './services.ts';

/**
 * A certificate lives for the TTL after it was signed, and the skew longer on a slow clock. Whoever was
 * created since every Sentry had switched never had an old one.
 */
export function judgeLeaves(context: GateContext): GateVerdict {
  const { record, phase, world } = context;
  const { hasExternalClients, keepsIssuers = false } = record.settings;
  const since = sinceOf(phase, record.phases);
  const until = new Date(since.getTime() + longestLifeMs(record.settings, since));
  const hasEnded = world.at >= until;
  if (hasEnded && !keepsIssuers) {
    return { evidence: [`The last certificate of another issuer ended by ${until.toISOString()}`], waits: [] };
  }
  const expiry: Wait = {
    what: `the last certificate of another issuer ends at ${until.toISOString()}`,
    mend: `Whoever is restarted has a new one at once: \`dapr-mtls rotate run${context.wayToStore} --drain restart\`.`,
    until,
  };
  if (hasExternalClients && !hasEnded) return { evidence: [], waits: [{ ...expiry, mend: waitForClients }] };
  const wait = keepsIssuers ? bornWithIssuer : expiry;
  const { sidecars, services } = world;
  if (!sidecars || !services) return judgeRestarted(context, since, wait);
  const bornSince = keepsIssuers ? lastInjectorOf(services, since) : since;
  const oldSidecars = sidecars.filter(
    (sidecar) => !isSkipped(sidecar, record.skipped) && !(sidecar.createdAt && sidecar.createdAt >= bornSince),
  );
  const oldServices = services.filter(
    ({ startedAt, terminating }) => terminating || startedAt === undefined || startedAt < since,
  );
  // Sentry signs its own certificate, anew with each start, and was judged when the issuer switched.
  const others = othersThanSentry(oldServices);
  if (oldSidecars.length === 0 && others.length === 0) {
    return {
      evidence: [`${sidecars.length} sidecars and every service started after ${since.toISOString()}`],
      waits: [],
    };
  }
  return {
    evidence: [],
    waits: [
      {
        ...wait,
        what: `${oldSidecars.length} sidecars and ${others.length} services started before the switch; ${wait.what}`,
      },
    ],
  };
}

const waitForClients =
  'Clients that join with tokens of their own (tokenValidators) have such certificates, too, and no restart of ours ends those: wait.';

const bornWithIssuer: Wait = {
  what: "up to Dapr 1.11 sidecars show Sentry the issuer's certificate that they were born with, for as long as they live",
  mend: 'Only who is restarted has the new one: `--drain restart`.',
  until: undefined,
};

/** An injector hands out what it has read when it started. */
function lastInjectorOf(services: readonly ServiceInstance[], since: Date): Date {
  const starts = services.flatMap(({ service, startedAt }) => (service === injectorName && startedAt ? startedAt : []));
  return [since, ...starts].reduce((last, start) => (start > last ? start : last));
}

/** Who was started anew since then asked for a certificate anew. */
function judgeRestarted({ record, phase, wayToStore }: GateContext, since: Date, wait: Wait): GateVerdict {
  const restarted = record.phases.find(
    ({ restarts, restartedAt }) => restarts.includes('applications') && isSince(restartedAt, since),
  );
  if (restarted) return { evidence: [`The restart command ended well at ${restarted.restartedAt}`], waits: [] };
  // What was confirmed in another phase was said of anchors, and of another moment.
  const confirmation = record.confirmations.findLast(
    (entry) => entry.what === 'restarted' && entry.phase === phase.name && isSince(entry.at, since),
  );
  if (confirmation) return { evidence: [`${confirmation.by} confirmed restarted at ${confirmation.at}`], waits: [] };
  return {
    evidence: [],
    waits: [
      {
        ...wait,
        mend: `When every one was started anew after ${since.toISOString()}: \`dapr-mtls rotate confirm restarted${wayToStore}\`, or give \`--restart-command\` and \`--drain restart\` when the rotation is begun.`,
      },
    ],
  };
}

function isSince(instant: string | undefined, since: Date): boolean {
  return instant !== undefined && new Date(instant) >= since;
}
