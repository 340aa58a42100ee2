import type { Certificate } from './certificate.ts';

/**
 * The trust domain that an issuer was made for: its DNS name, or the SPIFFE ID that Sentry since 1.12
 * writes into the organization. Undefined where neither tells.
 */
export function trustDomainOf(issuer: Certificate): string | undefined {
  const spiffe = /O=spiffe:\/\/([a-z0-9._-]+)\//.exec(issuer.subject);
  return issuer.detail.dnsNames[0] ?? spiffe?.[1];
}
