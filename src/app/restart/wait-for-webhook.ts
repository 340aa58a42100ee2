import { injectorName } from '../../kube/admission/webhook.ts';
import { type Looked, look } from '../../kube/dapr/control-plane.ts';
import { trustBundleName } from '../../kube/dapr/services.ts';
import type { Cluster } from '../../kube/port.ts';
import { resources } from '../../kube/resources.ts';
import type { WaitOptions } from '../../kube/rollout/wait-for-rollout.ts';
import type { ConfigMapObject } from './judge-stored-bundle.ts';
import { judgeWebhook, type WebhookConfiguration } from './webhook.ts';

export type WebhookEnd =
  /** `remark` where it could not be judged, and why. */
  { readonly kind: 'done'; readonly remark: string | undefined } | { readonly kind: 'failed'; readonly reason: string };

const pollMs = 1000;

/**
 * Waits until the injector that has just come back has written its anchors into its webhook. What may
 * not be read, or is not there (Dapr up to 1.11 has no ConfigMap, and a CA of its own in the webhook),
 * is not judged.
 * @throws DaprMtlsError as `Cluster.get` does, but for `cluster.forbidden`; whatever `assertRunning` throws
 */
export async function waitForWebhook(
  cluster: Cluster,
  { namespace, anchorsName }: { readonly namespace: string; readonly anchorsName: string },
  { clock, deadline, assertRunning, onWait = () => {} }: WaitOptions,
): Promise<WebhookEnd> {
  let told: string | undefined;
  for (;;) {
    assertRunning();
    const [webhook, configMap] = await Promise.all([
      look<WebhookConfiguration>(cluster, { resource: resources.mutatingWebhooks, name: injectorName }),
      look<ConfigMapObject>(cluster, { resource: resources.configMaps, namespace, name: trustBundleName }),
    ]);
    const remark = whyNotJudged(webhook, configMap);
    const anchors = configMap.object?.data?.[anchorsName];
    if (remark || !webhook.object || anchors === undefined) return { kind: 'done', remark };
    const reason = judgeWebhook(webhook.object, Buffer.from(anchors));
    if (!reason) return { kind: 'done', remark: undefined };
    if (reason !== told) onWait(reason, true);
    told = reason;
    const remainingMs = deadline.getTime() - clock.now().getTime();
    if (remainingMs <= 0) return { kind: 'failed', reason };
    assertRunning();
    await clock.sleep(Math.min(pollMs, remainingMs));
  }
}

function whyNotJudged(webhook: Looked<WebhookConfiguration>, configMap: Looked<ConfigMapObject>): string | undefined {
  const refusal = webhook.refusal ?? configMap.refusal;
  if (refusal) return `Not checked whether the webhook ${injectorName} has the live anchors: ${refusal.message}`;
  if (webhook.presence === 'absent') return `There is no webhook ${injectorName}: new pods get no sidecar`;
  return undefined;
}
