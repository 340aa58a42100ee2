import type { GateName, Phase, PhaseName, Procedure, RestartScope, StageName } from './record.ts';

/** What a phase writes, in a line; undefined where it writes nothing. */
export function describeWrite({ writes, name }: Phase, procedure: Procedure): string | undefined {
  if (writes === undefined) return undefined;
  if (name === 'retire' && procedure === 'retire')
    return 'the root alone as anchor, and the issuer without what stands behind it';
  return writings[writes](procedure);
}

const writings: Record<StageName, (procedure: Procedure) => string> = {
  before: () => 'the bundle as it was before the rotation',
  'both-anchors': () => 'the new anchor beside the old ones; the old issuer goes on signing',
  switched: (procedure) => {
    if (procedure === 'bridge') return 'old and new anchors, and the new issuer with a bridge to the old one behind it';
    if (procedure === 'same-key') return 'the renewed root beside the old one, and the new issuer';
    return procedure === 'replace'
      ? 'the new root and issuer, at once'
      : 'the new issuer and its key, under old and new anchors';
  },
  after: (procedure) =>
    procedure === 'same-root'
      ? 'the new issuer and its key; the anchors stay'
      : 'the new anchor alone, and the new issuer',
};

/** For the history. @param where the files */
export function describeHandOut(name: PhaseName, where: string): string {
  return `handed the bundle of ${name} out in ${where}`;
}

/** @param kind in a directory nobody but its owner knows who takes part */
export function describeRestarts(scopes: readonly RestartScope[], kind: 'directory' | 'cluster'): string[] {
  if (kind === 'cluster') return scopes.map((scope) => restarts[scope]);
  if (scopes.includes('applications')) return ['every daprd and every service, by --restart-command or by hand'];
  return scopes.includes('services') ? ['the services, by --restart-command or by hand'] : [];
}

const restarts: Record<RestartScope, string> = {
  sentry: 'Sentry',
  services: 'injector, operator, placement, scheduler',
  applications: 'the workloads with a sidecar, a few at a time',
};

export function describeGate(gate: GateName): string {
  return gates[gate];
}

const gates: Record<GateName, string> = {
  'verifiers-updated': 'every sidecar and every service holds the new anchor',
  'issuer-switched': 'every Sentry signs with the issuer of this phase',
  'old-leaves-gone': 'nobody shows a certificate of the other issuer any more',
  'anchors-published': 'the control plane, and who starts next, hold the anchors of this phase',
};

/** What no rotation can promise. */
export const notPromised: readonly string[] = [
  'Connections that are open are never verified again: what is proved holds for new handshakes.',
  'Restarting placement and scheduler moves actors and delays reminders, jobs and workflows.',
  'A workload with a single replica is away while it restarts, unless its strategy brings the new pod up first.',
];
