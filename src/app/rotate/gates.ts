import { DaprMtlsError } from '../../errors.ts';
import { injectorName } from '../../kube/admission/webhook.ts';
import { sentryName } from '../../kube/dapr/services.ts';
import { type Certificate, isSignedBy, readCertificate } from '../../pki/certificate.ts';
import { whatToDo } from '../restart/applications.ts';
import { holdsAll, readAnchors } from './held-anchors.ts';
import { nameSome } from './plan.ts';
import type { Confirmable, GateName, PhaseRecord, RotationRecord } from './record.ts';
import type { Stage } from './stages.ts';
import type { ServiceInstance, Sidecar, World } from './world.ts';

/** What a gate waits for, and what people can do about it. */
export interface Wait {
  readonly what: string;
  readonly mend: string;
  /** When it ends by itself; undefined where it does not. */
  readonly until: Date | undefined;
}

export interface GateVerdict {
  readonly evidence: readonly string[];
  /** Empty: the gate closes. */
  readonly waits: readonly Wait[];
}

export interface GateContext {
  readonly record: Pick<RotationRecord, 'phases' | 'settings' | 'confirmations' | 'skipped'>;
  readonly phase: PhaseRecord;
  /** The bundle that stands in the store. */
  readonly live: Stage;
  /** SHA-256 of the anchors that every verifier has to hold. */
  readonly needed: readonly string[];
  readonly world: World;
  /** ` -k`, or nothing. */
  readonly wayToStore: string;
}

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

/**
 * From when on whoever starts is of the new world: for a phase that writes, since the write; for one
 * that does not, since every Sentry signed with the issuer of today.
 */
export function sinceOf(phase: PhaseRecord, phases: readonly PhaseRecord[]): Date {
  const switched = phase.writes ? undefined : lastSwitch(phase, phases);
  const instant = switched?.passedAt ?? phase.writtenAt;
  if (instant === undefined) throw new Error('a phase that was not begun has no beginning');
  return new Date(instant);
}

/** The phase by whose end no Sentry signed with another issuer any more. */
function lastSwitch(phase: PhaseRecord, phases: readonly PhaseRecord[]): PhaseRecord | undefined {
  const index = phases.findIndex(({ name }) => name === phase.name);
  return phases
    .slice(0, index)
    .findLast(({ gates, status }) => gates.includes('issuer-switched') && status === 'passed');
}

function judgeVerifiers(context: GateContext): GateVerdict {
  const { record, phase, world } = context;
  const { sidecars, services } = world;
  const since = sinceOf(phase, record.phases);
  const external = record.settings.hasExternalClients ? [askFor('external-clients', context)] : [];
  if (!sidecars || !services) return join([judgeByWord(context), ...external]);
  return join([
    judgeSidecars(sidecars, context),
    judgeServices(othersThanSentry(services), since, context),
    judgeServices(sentriesOf(services), sinceOfSentry(context), context),
    judgeHandout(context),
    ...external,
  ]);
}

/**
 * A phase that writes nothing restarts no Sentry: those that run have read the anchors of today since
 * they were written, which was before the moment from which on everybody else counts.
 */
function sinceOfSentry({ phase, record }: GateContext): Date {
  const switched = phase.writes ? undefined : lastSwitch(phase, record.phases);
  return switched?.writtenAt === undefined ? sinceOf(phase, record.phases) : new Date(switched.writtenAt);
}

function sentriesOf(services: readonly ServiceInstance[]): ServiceInstance[] {
  return services.filter(({ service }) => service === sentryName);
}

/** Sentry signs its own certificate, anew with each start, and is judged when the issuer is switched. */
function othersThanSentry(services: readonly ServiceInstance[]): ServiceInstance[] {
  return services.filter(({ service }) => service !== sentryName);
}

function judgeSidecars(sidecars: readonly Sidecar[], context: GateContext): GateVerdict {
  const { needed, record } = context;
  const holds = remember((pem) => holdsAll(readAnchors(pem), needed));
  const counted = sidecars.filter((sidecar) => !isSkipped(sidecar, record.skipped));
  const behind = counted.filter(({ anchors }) => anchors === undefined || !holds(anchors));
  if (behind.length > 0) return { evidence: [], waits: waitsFor(behind, 'holds not the new anchor', context) };
  const skipped = sidecars.length - counted.length;
  return {
    evidence: [
      `${counted.length} sidecars were born with ${needed.map((fingerprint) => fingerprint.slice(0, 16)).join(', ')}`,
      ...(skipped > 0 ? [`${skipped} sidecars of skipped workloads were not looked at`] : []),
    ],
    waits: [],
  };
}

function isSkipped({ namespace, workload }: Sidecar, skipped: RotationRecord['skipped']): boolean {
  return skipped.some((entry) => entry.workload === `${namespace}/${workload.name}`);
}

/** One line for each workload: 400 of them are a long list, and the first ones tell enough. */
function waitsFor(sidecars: readonly Sidecar[], what: string, { wayToStore }: GateContext): Wait[] {
  const groups = new Map<string, [Sidecar, ...Sidecar[]]>();
  for (const sidecar of sidecars) {
    const group = groups.get(keyOf(sidecar));
    if (group) group.push(sidecar);
    else groups.set(keyOf(sidecar), [sidecar]);
  }
  const listed = [...groups.values()].map((pods): Wait => {
    const [{ namespace, workload }] = pods;
    const isGoing = pods.every(({ terminating }) => terminating);
    const names = nameSome(
      pods.map(({ pod }) => pod),
      2,
    );
    return {
      what: `${workload.kind.toLowerCase()} ${namespace}/${workload.name}: ${names} ${isGoing ? 'has not ended yet' : what}`,
      mend: isGoing
        ? 'It is being deleted: wait for it, or see what holds it up.'
        : mendFor(namespace, workload, wayToStore),
      until: undefined,
    };
  });
  const more = listed.length - listLimit;
  if (more <= 0) return listed;
  const rest = {
    what: `and ${more} more workloads`,
    mend: `All of them: \`dapr-mtls audit${wayToStore}\`.`,
    until: undefined,
  };
  return [...listed.slice(0, listLimit), rest];
}

const listLimit = 20;

function keyOf({ namespace, workload }: Sidecar): string {
  return `${namespace}/${workload.kind}/${workload.name}`;
}

function mendFor(namespace: string, { kind, name }: Sidecar['workload'], wayToStore: string): string {
  const short = { Deployment: 'deploy', StatefulSet: 'sts', DaemonSet: 'ds' }[kind];
  const restart = short
    ? `\`dapr-mtls restart${wayToStore} --apps -n ${namespace} --only ${short}/${name}\``
    : whatToDo(kind, namespace, name);
  return `${restart}; to answer for it yourself: --skip-workload ${namespace}/${name}.`;
}

function judgeServices(services: readonly ServiceInstance[], since: Date, { wayToStore }: GateContext): GateVerdict {
  const behind = services.filter(
    (instance) => instance.terminating || !instance.ready || whyBehind(instance, since) !== undefined,
  );
  if (behind.length > 0) {
    return {
      evidence: [],
      waits: behind.map((instance) => ({
        what: `${instance.pod} ${stateOf(instance, since)}`,
        mend: `\`dapr-mtls restart${wayToStore}\` restarts the control plane in its order.`,
        until: undefined,
      })),
    };
  }
  return {
    evidence: [`${services.length} pods of the control plane started after ${since.toISOString()} and are ready`],
    waits: [],
  };
}

/** A change reaches the volumes of a running pod after 60 to 90 seconds (dapr-facts, section 2). */
const volumeDelayMs = 120_000;

/**
 * Undefined where it has read the bundle of that moment. Sentry asks the API server; the others have a
 * volume, which is fresh in a new pod, and late for a container that is started again in an old one.
 */
function whyBehind({ service, createdAt, startedAt }: ServiceInstance, since: Date): string | undefined {
  if (startedAt === undefined) return 'does not run';
  if (startedAt < since) return `started before ${since.toISOString()}`;
  if (service === sentryName || (createdAt !== undefined && createdAt >= since)) return undefined;
  if (startedAt.getTime() >= since.getTime() + volumeDelayMs) return undefined;
  return `was started again in a pod older than ${since.toISOString()}, whose files may have been the old ones`;
}

function stateOf(instance: ServiceInstance, since: Date): string {
  if (instance.terminating) return 'has not ended yet';
  return whyBehind(instance, since) ?? 'is not ready';
}

function judgeHandout({ world, needed }: GateContext): GateVerdict {
  const { handout } = world;
  if (handout.kind === 'unknown')
    return { evidence: [`What the next pod gets was not asked: ${handout.reason}`], waits: [] };
  if (holdsAll(readAnchors(handout.pem), needed))
    return { evidence: ['The injector gives the new anchor to the next pod'], waits: [] };
  return {
    evidence: [],
    waits: [
      {
        what: 'the injector still gives old anchors to the next pod',
        mend: 'It reads them when it starts: `dapr-mtls restart -k`. What it would give: `dapr-mtls probe -k`.',
        until: undefined,
      },
    ],
  };
}

function judgeIssuer(context: GateContext): GateVerdict {
  const { world, phase, record, live, wayToStore } = context;
  const shown = judgeShown(context);
  if (!world.services) {
    // Nobody else can tell what a Sentry of a directory has read.
    return world.sentry.kind === 'shown' ? shown : askFor('issuer-switched', context);
  }
  const since = sinceOf(phase, record.phases);
  const sentries = sentriesOf(world.services);
  const issuer = live.issuerChain[0].fingerprint.slice(0, 16);
  if (sentries.length === 0) {
    return {
      evidence: [],
      waits: [{ what: 'no Sentry runs', mend: `See why: \`dapr-mtls status${wayToStore}\`.`, until: undefined }],
    };
  }
  const started = judgeServices(sentries, since, context);
  const evidence =
    started.waits.length === 0
      ? [`${sentries.length} of ${sentries.length} Sentry pods started on the issuer ${issuer}`]
      : [];
  return join([{ evidence, waits: started.waits }, ...(world.sentry.kind === 'shown' ? [shown] : [])]);
}

function judgeShown({ world, live, record }: GateContext): GateVerdict {
  const { sentry } = world;
  if (sentry.kind !== 'shown') return { evidence: [], waits: [] };
  const [issuer] = live.issuerChain;
  const [leaf, signer] = sentry.chain;
  // An issuer that was renewed on its key signs as the old one did, but does not show the same certificate.
  if (leaf && isOf(leaf, issuer) && (signer === undefined || signer.equals(issuer.der)))
    return { evidence: [`Sentry shows a certificate of the issuer ${issuer.fingerprint.slice(0, 16)}`], waits: [] };
  return {
    evidence: [],
    waits: [
      {
        what: 'Sentry still shows a certificate of another issuer',
        mend: record.settings.sentryAddress
          ? 'It reads its files again within some seconds; see its log if it does not.'
          : 'See its log; `dapr-mtls restart -k` restarts it.',
        until: undefined,
      },
    ],
  };
}

function isOf(der: Buffer, issuer: Certificate): boolean {
  try {
    return isSignedBy(readCertificate(der), issuer);
  } catch (error) {
    // What Sentry shows is a stranger's word until it is read.
    if (error instanceof DaprMtlsError) return false;
    throw error;
  }
}

/**
 * A certificate lives for the TTL after it was signed, and the skew longer on a slow clock. Whoever was
 * created since every Sentry had switched never had an old one.
 */
function judgeLeaves(context: GateContext): GateVerdict {
  const { record, phase, world } = context;
  const { workloadCertTtlMs, allowedClockSkewMs, hasExternalClients, keepsIssuers = false } = record.settings;
  const since = sinceOf(phase, record.phases);
  const until = new Date(since.getTime() + workloadCertTtlMs + allowedClockSkewMs);
  const hasEnded = world.at >= until;
  if (hasEnded && !keepsIssuers) {
    return { evidence: [`The last certificate of another issuer ended by ${until.toISOString()}`], waits: [] };
  }
  const expiry: Wait = {
    what: `the last certificate of another issuer ends at ${until.toISOString()}`,
    mend: `Whoever is restarted has a new one at once: \`dapr-mtls rotate run${context.wayToStore} --drain restart\`.`,
    until,
  };
  if (hasExternalClients && !hasEnded) return { evidence: [], waits: [expiry] };
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
  const others = oldServices.filter(({ service }) => service !== sentryName);
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
function judgeRestarted({ record, phase }: GateContext, since: Date, wait: Wait): GateVerdict {
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
        mend: `When every one was started anew after ${since.toISOString()}: \`dapr-mtls rotate confirm restarted\`, or give \`--restart-command\` and \`--drain restart\` when the rotation is begun.`,
      },
    ],
  };
}

function isSince(instant: string | undefined, since: Date): boolean {
  return instant !== undefined && new Date(instant) >= since;
}

function judgePublished(context: GateContext): GateVerdict {
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

/** Where nothing can be seen: a restart that this program carried out, or a human who vouches. */
function judgeByWord(context: GateContext): GateVerdict {
  const { phase } = context;
  if (phase.restartedAt !== undefined)
    return { evidence: [`The restart command ended well at ${phase.restartedAt}`], waits: [] };
  return askFor('restarted', context);
}

function isConfirmed(what: Confirmable, { record, phase }: GateContext) {
  return record.confirmations.findLast((entry) => entry.what === what && entry.phase === phase.name);
}

function askFor(what: Confirmable, context: GateContext): GateVerdict {
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

function join(verdicts: readonly GateVerdict[]): GateVerdict {
  return {
    evidence: verdicts.flatMap(({ evidence }) => evidence),
    waits: verdicts.flatMap(({ waits }) => waits),
  };
}

function fingerprintOf({ fingerprint }: Certificate): string {
  return fingerprint;
}

function remember<Result>(judge: (text: string) => Result): (text: string) => Result {
  const known = new Map<string, Result>();
  return (text) => {
    const result = known.get(text) ?? judge(text);
    known.set(text, result);
    return result;
  };
}
