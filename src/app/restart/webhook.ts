import { injectorName } from '../../kube/admission/webhook.ts';
import type { KubeObject } from '../../kube/port.ts';
import { certificatesSeenByGo } from '../../pki/reading.ts';

/** What is read of the MutatingWebhookConfiguration by which the API server calls the injector. */
export interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly { readonly clientConfig?: { readonly caBundle?: string } }[];
}

/**
 * Whether the API server would take the injector for what it is: a new injector shows a certificate
 * of the live issuer, and writes its anchors as caBundle of the first webhook (cmd/injector/app). With
 * failurePolicy Ignore another caBundle means pods without sidecars, and no error anywhere.
 * @param anchors of the ConfigMap
 * @returns what is wrong; undefined where it fits
 */
export function judgeWebhook({ webhooks }: WebhookConfiguration, anchors: Uint8Array): string | undefined {
  const caBundle = webhooks?.[0]?.clientConfig?.caBundle;
  if (!caBundle) return `the webhook ${injectorName} has no caBundle`;
  if (fingerprintAnchors(Buffer.from(caBundle, 'base64')) === fingerprintAnchors(anchors)) return undefined;
  return `the webhook ${injectorName} has another caBundle than the anchors of the ConfigMap`;
}

/** Order, repetitions and the text between the blocks make no difference to who verifies. */
function fingerprintAnchors(pem: Uint8Array): string {
  const certificates = certificatesSeenByGo(pem).map(({ der }) => der.toString('base64'));
  return [...new Set(certificates)].sort().join(' ');
}
