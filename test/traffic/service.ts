import { type LineProcess, startLineProcess } from './line-process.ts';
import type { CallEvent } from './tally.ts';

/** Where a service is found, and by which name it is known in the mesh. */
export interface Peer {
  readonly id: string;
  readonly namespace: string;
  readonly address: string;
}

/** What a service is told of the world around it. */
export interface Neighbourhood {
  readonly revision: number;
  /** Where the CA is. */
  readonly authority: string;
  readonly peers: readonly Peer[];
}

type ServiceEvent =
  | CallEvent
  | { readonly event: 'ready'; readonly address: string }
  | { readonly event: 'identity'; readonly issuer: string }
  | { readonly event: 'neighbours'; readonly revision: number };

/** A process that was born with its anchors, as a pod with its sidecar. */
export interface Service {
  readonly peer: Peer;
  /** Resolves when no call to a peer of an earlier neighbourhood is under way any more. */
  tell(neighbourhood: Neighbourhood): Promise<void>;
  /** Ends it when its own calls and those that it answers are done. */
  stop(): Promise<void>;
}

/** Who a service is. */
export interface Member {
  readonly id: string;
  readonly namespace: string;
  /** Of Sentry, whose name in the mesh it is part of. */
  readonly controlPlaneNamespace: string;
  /** `DAPR_TRUST_ANCHORS`. */
  readonly anchors: Buffer | string;
}

interface Birth extends Member {
  readonly neighbourhood: Neighbourhood;
  readonly callsPerSecond: number;
  readonly onCall: (event: CallEvent) => void;
}

/** Starts a service. Resolves when it has its certificate and can be called; a sidecar without trust hangs. */
export async function startService(program: string, birth: Birth): Promise<Service> {
  const { id, namespace } = birth;
  const names = ['-id', id, '-namespace', namespace, '-control-plane-namespace', birth.controlPlaneNamespace];
  const process: LineProcess<ServiceEvent> = startLineProcess({
    command: [program, 'service', ...names, '-rate', String(birth.callsPerSecond)],
    env: { DAPR_TRUST_ANCHORS: birth.anchors.toString() },
    onEvent: (event) => {
      if (event.event !== 'ready' && event.event !== 'identity' && event.event !== 'neighbours') birth.onCall(event);
    },
  });
  process.send(birth.neighbourhood);
  const { address } = await process.seen((event) => event.event === 'ready');
  return {
    peer: { id, namespace, address },
    tell: async (neighbourhood) => {
      process.send(neighbourhood);
      await process.seen((event) => event.event === 'neighbours' && event.revision === neighbourhood.revision);
    },
    stop: () => process.stop(),
  };
}
