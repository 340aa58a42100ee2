import { whatToDo } from '../../restart/applications.ts';
import { holdsAll, readAnchors } from '../held-anchors.ts';
import { nameSome } from '../plan.ts';
import type { Sidecar } from '../world.ts';
import { askFor } from './confirmations.ts';
import { type GateContext, type GateVerdict, isSkipped, join, lastSwitch, sinceOf, type Wait } from './gate.ts';
import { judgeServices, othersThanSentry, sentriesOf } from './services.ts';

export function judgeVerifiers(context: GateContext): GateVerdict {
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

function judgeSidecars(sidecars: readonly Sidecar[], context: GateContext): GateVerdict {
  const { needed, record } = context;
  const holds = remember((pem) => holdsAll(readAnchors(pem), needed));
  const counted = sidecars.filter((sidecar) => !isSkipped(sidecar, record.skipped));
  const behind = counted.filter(({ anchors }) => anchors === undefined || !holds(anchors));
  if (behind.length > 0) return { evidence: [], waits: waitsFor(behind, 'does not hold the new anchor', context) };
  const skipped = sidecars.length - counted.length;
  return {
    evidence: [
      `${counted.length} sidecars were born with ${needed.map((fingerprint) => fingerprint.slice(0, 16)).join(', ')}`,
      ...(skipped > 0 ? [`${skipped} sidecars of skipped workloads were not looked at`] : []),
    ],
    waits: [],
  };
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

function judgeHandout({ world, needed, wayToStore }: GateContext): GateVerdict {
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
        mend: `It reads them when it starts: \`dapr-mtls restart${wayToStore}\`. What it would give: \`dapr-mtls probe${wayToStore}\`.`,
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

function remember<Result>(judge: (text: string) => Result): (text: string) => Result {
  const known = new Map<string, Result>();
  return (text) => {
    const result = known.get(text) ?? judge(text);
    known.set(text, result);
    return result;
  };
}
