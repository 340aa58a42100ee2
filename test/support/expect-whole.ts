import { expect } from 'vitest';
import { whySentryRefuses } from '../../src/pki/sentry.ts';
import type { TrustCluster } from './trust-cluster.ts';

/** Both objects hold one bundle, on which a Sentry that starts would serve. */
export function expectWhole(trust: Pick<TrustCluster, 'files' | 'configMap'>): void {
  const { anchors, issuerChain, issuerKey } = trust.files();
  if (!anchors || !issuerChain || !issuerKey) throw new Error('a part is missing');
  expect(whySentryRefuses({ anchors, issuerChain, issuerKey }, new Date())).toBeUndefined();
  expect(trust.configMap()?.data?.['ca.crt']).toBe(anchors.toString('utf8'));
}
