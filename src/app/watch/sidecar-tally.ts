import type { PodKeeper } from '../../kube/pods/follow-pods.ts';
import type { Daprd, SidecarPod } from '../../kube/pods/sidecar-pod.ts';
import { type AnchorVerdict, judgeEachOnce, type SidecarState, sidecarStates } from '../audit/judge-anchors.ts';
import type { Reference } from '../audit/reference.ts';
import type { SidecarSight } from './ports.ts';

/** All pods with a sidecar, each as little more than a name: thousands share a few anchors and workloads. */
export interface SidecarTally extends PodKeeper {
  /** What the tally comes to under a bundle. */
  judge(reference: Reference, at: Date): SidecarSight;
}

/** Pods that were born with one and the same text. */
interface Held {
  readonly key: string;
  /** One of their sidecars; undefined where none of them tells what it holds. */
  readonly daprd: Daprd | undefined;
  pods: number;
}

interface Workload {
  readonly key: string;
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  pods: number;
}

interface Entry {
  readonly held: Held;
  readonly workload: Workload;
  /** The list that has told of it last. */
  list: number;
}

/** Who may make pods may write anything there; none of it shall fill the memory: 16 MB at most. */
const longestText = 64 * 1024;
const mostTexts = 256;

/** As many as a person reads. */
const mostBehind = 20;

/** @param onChange told when a pod comes or goes, or is another one than before */
export function openTally(onChange: () => void): SidecarTally {
  const entries = new Map<string, Entry>();
  const texts = new Map<string, Held>();
  const workloads = new Map<string, Workload>();
  let list = 0;

  function holdText(daprd: Daprd | undefined): Held {
    const pem = daprd?.trustAnchors?.source === 'value' ? daprd.trustAnchors.pem : '';
    const isKept = pem.length <= longestText && (texts.has(pem) || texts.size < mostTexts);
    const key = isKept ? pem : '';
    const held = texts.get(key) ?? { key, daprd: key === '' ? undefined : daprd, pods: 0 };
    texts.set(key, held);
    held.pods += 1;
    return held;
  }

  function joinWorkload({ namespace, workload: { kind, name } }: SidecarPod): Workload {
    const key = `${namespace}/${kind}/${name}`;
    const workload = workloads.get(key) ?? { key, namespace, kind, name, pods: 0 };
    workloads.set(key, workload);
    workload.pods += 1;
    return workload;
  }

  function leave(uid: string, { held, workload }: Entry): void {
    entries.delete(uid);
    held.pods -= 1;
    if (held.pods === 0) texts.delete(held.key);
    workload.pods -= 1;
    if (workload.pods === 0) workloads.delete(workload.key);
  }

  function remove(uid: string): void {
    const entry = entries.get(uid);
    if (!entry) return;
    leave(uid, entry);
    onChange();
  }

  return {
    beginList: () => {
      list += 1;
    },
    endList: () => {
      const gone = [...entries].filter(([, entry]) => entry.list !== list);
      for (const [uid, entry] of gone) leave(uid, entry);
      onChange();
    },
    put: (pod) => {
      // What has ended talks to nobody; what is being deleted still does.
      if (pod.phase === 'Succeeded' || pod.phase === 'Failed') return remove(pod.uid);
      const entry = entries.get(pod.uid);
      // The variable and the owner of a pod never change: its status does, many times.
      if (entry) {
        entry.list = list;
        return;
      }
      entries.set(pod.uid, { held: holdText(pod.daprd), workload: joinWorkload(pod), list });
      onChange();
    },
    remove,
    judge: (reference, at) => ({
      problem: reference.problem ?? null,
      ...judgeTally(entries.values(), texts.values(), judgeEachOnce(reference, at)),
    }),
  };
}

function judgeTally(
  entries: Iterable<Entry>,
  texts: Iterable<Held>,
  judge: (daprd: Daprd | undefined) => AnchorVerdict,
): Omit<SidecarSight, 'problem'> {
  const totals = { sidecars: 0, broken: 0, stale: 0, unknown: 0, current: 0 };
  const states = new Map<Held, SidecarState>();
  for (const held of texts) {
    const { state } = judge(held.daprd);
    states.set(held, state);
    totals.sidecars += held.pods;
    totals[state] += held.pods;
  }
  return { totals, behind: totals.current === totals.sidecars ? [] : findBehind(entries, states) };
}

function findBehind(entries: Iterable<Entry>, states: ReadonlyMap<Held, SidecarState>): SidecarSight['behind'] {
  const behind = new Map<Workload, { state: SidecarState; sidecars: number }>();
  for (const { held, workload } of entries) {
    const state = states.get(held) ?? 'unknown';
    if (state === 'current') continue;
    const found = behind.get(workload) ?? { state, sidecars: 0 };
    found.sidecars += 1;
    if (rank(state) < rank(found.state)) found.state = state;
    behind.set(workload, found);
  }
  return [...behind]
    .sort(([a, { state }], [b, other]) => rank(state) - rank(other.state) || (a.key < b.key ? -1 : 1))
    .slice(0, mostBehind)
    .map(([{ namespace, kind, name }, { state, sidecars }]) => ({ namespace, kind, name, state, sidecars }));
}

function rank(state: SidecarState): number {
  return sidecarStates.indexOf(state);
}
