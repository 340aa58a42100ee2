import type { KeyUsage } from './extensions.ts';

/**
 * What the certificates of a bundle look like, as data. The values are those of Dapr's OpenSSL
 * recipe (docs, "Setup & configure mTLS certificates"), save the path length it sets on the issuer:
 * a bridge puts two more authorities below an issuer, and Go refuses that under `pathlen:0`.
 */
export interface CertificateProfile {
  readonly keyUsage: readonly KeyUsage[];
  readonly extendedKeyUsage: readonly ('serverAuth' | 'clientAuth')[];
  /** The end of the common name, so that no verifier takes root and issuer for one another. */
  readonly commonNameSuffix: string;
}

const authority = {
  keyUsage: ['digitalSignature', 'keyCertSign', 'cRLSign'],
  extendedKeyUsage: ['serverAuth', 'clientAuth'],
} as const;

export const profiles = {
  root: { ...authority, commonNameSuffix: '' },
  issuer: { ...authority, commonNameSuffix: ' issuer' },
  /** The new root under the old issuer: it bears the new root's name and key. */
  bridge: { ...authority, commonNameSuffix: '' },
} as const satisfies Record<string, CertificateProfile>;

export type ProfileName = keyof typeof profiles;

/** RFC 5280, appendix A.1: ub-common-name. */
const commonNameLimit = 64;

export interface NameAttribute {
  readonly type: 'C' | 'ST' | 'L' | 'O' | 'OU' | 'CN';
  readonly value: string;
}

/** The distinguished name of Dapr's recipe with the trust domain in its common name. */
export function subjectOf(profile: ProfileName, trustDomain: string): NameAttribute[] {
  const { commonNameSuffix } = profiles[profile];
  return [
    { type: 'C', value: 'US' },
    { type: 'ST', value: 'VA' },
    { type: 'L', value: 'Daprville' },
    { type: 'O', value: 'dapr.io/sentry' },
    { type: 'OU', value: 'dapr.io/sentry' },
    { type: 'CN', value: trustDomain.slice(0, commonNameLimit - commonNameSuffix.length) + commonNameSuffix },
  ];
}
