import { sentryName } from '../../../kube/dapr/services.ts';
import type { ServiceInstance } from '../world.ts';
import type { GateContext, GateVerdict } from './gate.ts';

export function sentriesOf(services: readonly ServiceInstance[]): ServiceInstance[] {
  return services.filter(({ service }) => service === sentryName);
}

/** Sentry signs its own certificate, anew with each start, and is judged when the issuer is switched. */
export function othersThanSentry(services: readonly ServiceInstance[]): ServiceInstance[] {
  return services.filter(({ service }) => service !== sentryName);
}

export function judgeServices(
  services: readonly ServiceInstance[],
  since: Date,
  { wayToStore }: GateContext,
): GateVerdict {
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
