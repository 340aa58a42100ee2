import type { CertificateStatus } from './report.ts';

/**
 * What is done about the root or the issuer. Only while they are valid is there a procedure that loses no call.
 * @param way the flag that leads to the store, with a space before it
 */
export function mendOfDates(status: Exclude<CertificateStatus, 'valid'>, way: string): string {
  switch (status) {
    case 'expired':
      return `Calls fail now. Renew at once, then restart Sentry and every sidecar: \`dapr-mtls renew-certificate${way}\`.`;
    case 'not-yet-valid':
      return 'Check the clock of this machine and of the one that made the certificate.';
    case 'expiring':
      return `See how to renew it without losing a call: \`dapr-mtls rotate plan${way}\`.`;
  }
}
