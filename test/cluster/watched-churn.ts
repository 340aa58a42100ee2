import { setTimeout as pause } from 'node:timers/promises';
import type { Admin } from './admin.ts';

/** Pods with sidecars that come and go, as those of a busy cluster do. */
export interface Churn {
  /** How many pods have come and gone so far. */
  readonly changes: number;
  /** What pods are born with from now on; none is born while it runs. */
  change(renewal: () => Promise<string>): Promise<void>;
  stop(): Promise<void>;
}

const atOnce = 20;

/** @param anchors PEM @param perMinute births and deaths together */
export function startChurn(admin: Admin, namespace: string, first: string, perMinute: number): Churn {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  let living: string[] = [];
  let [anchors, born, changes, isOver, isQuiet] = [first, 0, 0, false, false];

  async function bear(): Promise<void> {
    born += 1;
    const name = `churn-${born}`;
    const { status } = await admin.request('POST', path, podNamed(name, anchors));
    if (status !== 201) return;
    living.push(name);
    changes += 1;
  }

  async function end(name: string): Promise<void> {
    const { status } = await admin.request('DELETE', `${path}/${name}?gracePeriodSeconds=0`);
    if (status === 200) changes += 1;
    else living.push(name);
  }

  /** Also those whose birth nobody was told of. */
  async function endAll(): Promise<void> {
    const { status } = await admin.request('DELETE', `${path}?labelSelector=app%3Dchurn&gracePeriodSeconds=0`);
    if (status !== 200) throw new Error(`the pods of ${namespace} could not be removed: ${status}`);
    changes += living.length;
    living = [];
  }

  async function turn(): Promise<void> {
    if (isQuiet) return;
    const eldest = living.length >= atOnce ? living.shift() : undefined;
    if (eldest === undefined) await bear();
    else await end(eldest);
  }

  async function run(): Promise<void> {
    while (!isOver) {
      const startedMs = performance.now();
      // The API server is away now and then: that is what is tested.
      await turn().catch(() => undefined);
      await pause(Math.max(0, 60_000 / perMinute - (performance.now() - startedMs)));
    }
  }

  const ended = run();
  return {
    get changes() {
      return changes;
    },
    change: async (renewal) => {
      isQuiet = true;
      anchors = await renewal();
      await endAll();
      isQuiet = false;
    },
    stop: async () => {
      isOver = true;
      await ended;
      await endAll();
    },
  };
}

/** As Dapr's injector leaves it. */
function podNamed(name: string, anchors: string): object {
  const daprd = {
    name: 'daprd',
    image: 'ghcr.io/dapr/daprd:1.17.13',
    env: [{ name: 'DAPR_TRUST_ANCHORS', value: anchors }],
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: 'churn', 'dapr.io/sidecar-injected': 'true' } },
    spec: { containers: [{ name: 'app', image: 'registry.example:5000/shop/churn:1.0' }, daprd] },
  };
}
