import type { CertificateReport, ExpiryReport } from './expiry.ts';
import { insteadOfSecret, tellUnread } from './unread.ts';
import { wayToStore } from './way-to-store.ts';

/** What a person should know beside the line about the root. */
export function expiryRemarks({ store, root, issuer, unread = [] }: ExpiryReport): string[] {
  const remarks = [`Trust store: ${store.kind} ${store.name}`];
  if (store.state === 'interrupted')
    remarks.push(
      `Warning: a change was interrupted; this is the bundle it leads to. Finish it: dapr-mtls repair${wayToStore(store)}`,
    );
  // In a cluster that would be another request, and the Secret tells the truth at any moment.
  if (store.source === 'public') remarks.push(insteadOfSecret);
  remarks.push(...unread.filter(({ part }) => part !== 'issuer').map(tellUnread));
  if (store.state === 'unknown' && store.kind === 'directory')
    remarks.push('Warning: the work directory may not be read, so it is not known whether a change is under way');
  if (issuer && issuer.status !== 'expired' && issuer.remainingSeconds < root.remainingSeconds)
    remarks.push(`The issuer certificate ends sooner than the root: ${issuer.notAfter}`);
  return remarks;
}

/**
 * What must be said also to who asks for silence: an issuer that nobody has judged may be the next outage,
 * and upstream's line, which knows the end of the root alone, does not tell why the exit code is 10.
 */
export function expiryWarnings({ root, issuer, unread = [] }: ExpiryReport): string[] {
  return [
    ...[root, issuer].flatMap((certificate) => (certificate ? tellEarly(certificate) : [])),
    ...(issuer?.status === 'expired'
      ? [`the issuer certificate has expired (${issuer.notAfter}): Sentry does not start`]
      : []),
    ...unread.filter(({ part }) => part === 'issuer').map((one) => `${tellUnread(one)}. ${one.hint}`),
  ].map((warning) => `Warning: ${warning}`);
}

function tellEarly({ role, status, notBefore }: CertificateReport): string[] {
  return status === 'not-yet-valid'
    ? [`the ${role} certificate is not valid before ${notBefore}: check the clock`]
    : [];
}

export type FailOn = 'never' | 'warning' | 'error';

/**
 * 10 when root or issuer are as bad as asked; another anchor never decides. Who asks for a verdict and
 * gets none on the issuer is told so by 3: it was not looked at, and never passes as well.
 */
export function exitCodeOfStatuses({ root, issuer }: ExpiryReport, failOn: FailOn): number {
  const statuses = [root.status, ...(issuer ? [issuer.status] : [])];
  const isError = statuses.some((status) => status === 'expired' || status === 'not-yet-valid');
  const isWarning = isError || statuses.includes('expiring');
  if (failOn === 'error' && isError) return 10;
  if (failOn === 'warning' && isWarning) return 10;
  return failOn !== 'never' && !issuer ? 3 : 0;
}
