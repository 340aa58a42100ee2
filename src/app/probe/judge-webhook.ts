import type { Certificate } from '../../pki/certificate.ts';
import { verifyLeafOf } from '../../pki/chain.ts';
import { readCertificateFile, visibleCertificatesOf } from '../../pki/reading.ts';
import { anchorsIn, isSameSet } from './anchors.ts';
import type { ProbeFacts } from './facts.ts';
import { mendOfBundle, mends } from './mends.ts';
import type { ProbeCheck } from './report.ts';

type Verdict = Omit<ProbeCheck, 'name'>;

/** Does the API server trust the injector, now and after the injector's next certificate? */
export function judgeWebhook(facts: ProbeFacts, isInjected: boolean, at: Date): ProbeCheck {
  return { name: 'webhook', ...judge() };

  function judge(): Verdict {
    const { webhook } = facts.injector;
    if (webhook.presence === 'unknown')
      return { state: 'not-checked', reason: webhook.refusal?.message ?? '', hint: webhook.refusal?.hint ?? null };
    if (!facts.hasConfigMap)
      return { state: 'not-checked', reason: 'up to Dapr 1.11 the webhook has an authority of its own', hint: null };
    if (!webhook.object) {
      const reason = 'there is no webhook configuration dapr-sidecar-injector';
      return {
        state: isInjected ? 'not-checked' : 'failed',
        reason,
        hint: 'See: kubectl get mutatingwebhookconfigurations',
      };
    }
    const trusted = anchorsIn(webhook.object.caBundle);
    const anchors = anchorsIn(facts.bundle.configMapAnchors ?? facts.bundle.secretAnchors);
    if (anchors.length === 0)
      return { state: 'not-checked', reason: 'the anchors of the bundle are not known', hint: null };
    if (isSameSet(trusted, anchors))
      return { state: 'ok', reason: "the webhook's caBundle holds the anchors of the bundle", hint: null };
    const hint = mendOfBundle(facts) ?? mends.restart;
    const [issuer, ...rest] = chainIn(facts.bundle.issuerChain);
    const carries = issuer !== undefined && verifyLeafOf([issuer, ...rest], { anchors: trusted, at }).ok;
    const reason =
      trusted.length === 0
        ? "the webhook's caBundle holds no certificate"
        : `the webhook's caBundle is not the anchors of the bundle${carries ? ', though it carries the issuer in use' : ''}`;
    if (!issuer && !isInjected)
      return { state: 'not-checked', reason: `${reason}, and the issuer in use is not known`, hint };
    const isHarmless = isInjected || carries;
    const later = isHarmless ? '; it holds until the certificates of the injector or the bundle change' : '';
    return { state: isHarmless ? 'warning' : 'failed', reason: `${reason}${later}`, hint };
  }
}

function chainIn(pem: Buffer | undefined): Certificate[] {
  return pem ? visibleCertificatesOf(readCertificateFile('issuerChain', pem)) : [];
}
