import type { EndOfCertificate } from '../banner.ts';
import { mendOfDates } from '../mend-of-dates.ts';
import type { StatusReport } from '../status/report.ts';
import { commonMetrics, findingsOf, type Observation, type ObservedCheck } from './observation.ts';

/** Each service is a check of its own, and so are the ends of root and issuer where they were read. */
export function observeStatus({ cluster, at, services, expiry }: StatusReport): Observation {
  const unhealthy = services.filter(({ healthy }) => !healthy).length;
  const checks = [
    ...services.map(({ name, healthy, status, readyReplicas, desiredReplicas }): ObservedCheck => {
      if (healthy) return { name, findings: [] };
      const message = `${status}, ${readyReplicas} of ${desiredReplicas ?? 'unknown'} pods of the current revision are ready`;
      const hint = `See why: \`kubectl describe pods -n ${cluster.namespace} -l app=${name}\`.`;
      return { name, findings: [{ code: 'service.unhealthy', severity: 'error', subject: name, message, hint }] };
    }),
    judgeEnd('root', expiry.root),
    judgeEnd('issuer', expiry.issuer),
  ];
  const issuer = expiry.issuer ? '' : ', issuer not checked';
  const ends = expiry.root ? `, root until ${expiry.root.notAfter}${issuer}` : ', expiry not checked';
  return {
    command: 'status',
    place: cluster.context ?? cluster.server,
    at,
    verdict: `${unhealthy === 0 ? `all ${services.length} services are healthy` : `${unhealthy} of ${services.length} services are not healthy`}${ends}`,
    checks,
    metrics: commonMetrics('status', at, findingsOf({ checks })),
    performance: [],
  };
}

function judgeEnd(role: 'root' | 'issuer', end: EndOfCertificate | null): ObservedCheck {
  if (!end || end.status === 'valid') return { name: role, findings: [] };
  const finding = {
    code: `${role}.${end.status}`,
    severity: end.status === 'expiring' ? ('warning' as const) : ('error' as const),
    subject: role,
    message: `the ${role} certificate is ${end.status}: ${end.notAfter}`,
    hint: mendOfDates(end.status, ' -k'),
  };
  return { name: role, findings: [finding] };
}
