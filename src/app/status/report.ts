import { readFileNames } from '../../kube/dapr/control-plane.ts';
import { sentryName } from '../../kube/dapr/services.ts';
import type { ClusterAddress } from '../../kube/port.ts';
import { type ExpiryGlance, glanceAtPublicParts, glanceAtSecret } from '../banner.ts';
import { type ClusterReport, describeCluster } from '../cluster-report.ts';
import type { FailOn } from '../expiry-verdict.ts';
import { type Document, document, formatInstant } from '../report.ts';
import { insteadOfSecret } from '../unread.ts';
import type { StatusObjects } from './gather.ts';
import { judgeServices, type ServiceStatus } from './judge.ts';

export interface StatusReport extends Document<'Status'> {
  readonly cluster: ClusterReport;
  readonly at: string;
  readonly services: readonly ServiceStatus[];
  readonly expiry: ExpiryGlance;
  /** What this user may not read, so that the judgement rests on less. */
  readonly unread: readonly string[];
}

/** How the services of a control plane fare, and when its root and its issuer end. */
export function reportStatus(objects: StatusObjects, address: ClusterAddress, at: Date): StatusReport {
  const sentry = objects.workloads?.find(({ metadata }) => metadata.name === sentryName);
  return document('Status', {
    cluster: describeCluster(address, objects.namespace),
    at: formatInstant(at),
    services: judgeServices(objects, at),
    expiry: objects.publicParts
      ? glanceAtPublicParts(objects.publicParts, at)
      : glanceAtSecret(objects.secret, readFileNames(sentry), at),
    unread: objects.refusals,
  });
}

/** What a person should know beside the table: where it comes from, and why a service is not healthy. */
export function statusRemarks({ services, expiry, unread }: StatusReport): string[] {
  return [
    ...services
      .filter(({ healthy, status, desiredReplicas }) => !healthy && status !== 'Missing' && desiredReplicas !== null)
      .map(
        ({ name, readyReplicas, desiredReplicas }) =>
          `${name}: ${readyReplicas} of ${desiredReplicas} pods of the current revision are ready`,
      ),
    ...(expiry.source === 'public' ? [insteadOfSecret] : []),
    ...unread.map((reason) => `Not checked: ${reason}`),
  ];
}

/** 10 for what is as bad as asked: a service that is not healthy is an error, a certificate that ends soon a warning. */
export function exitCodeOfStatus({ services, expiry }: StatusReport, failOn: FailOn): number {
  const ends = [expiry.root?.status, expiry.issuer?.status];
  const isError =
    services.some(({ healthy }) => !healthy) || ends.includes('expired') || ends.includes('not-yet-valid');
  if (failOn === 'error' && isError) return 10;
  return failOn === 'warning' && (isError || ends.includes('expiring')) ? 10 : 0;
}
