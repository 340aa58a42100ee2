import type { ProbeFacts } from './facts.ts';
import { mendOfBundle } from './mends.ts';
import type { ProbeCheck } from './report.ts';

type Verdict = Omit<ProbeCheck, 'name'>;

/** What the webhook calls itself, and the API server in its refusals. */
const webhookName = 'sidecar-injector.dapr.io';

/** Does a pod that asks for a sidecar get one? */
export function judgeInjection(facts: ProbeFacts): ProbeCheck {
  const { outcome, counts } = facts.rehearsal;
  const { namespace } = facts;
  return { name: 'injection', ...judge() };

  function judge(): Verdict {
    if (outcome.kind === 'refused') {
      const { message, hint } = outcome.error;
      const isOurs = message.includes(webhookName);
      return {
        state: isOurs ? 'failed' : 'not-checked',
        reason: isOurs ? `no pod with a sidecar can be made: ${message}` : message,
        hint: isOurs ? restartInjector(facts) : hint,
      };
    }
    if (outcome.daprd) {
      const version = outcome.daprd.version === undefined ? '' : ` (daprd ${outcome.daprd.version})`;
      return { state: 'ok', reason: `a new pod in ${namespace} gets a sidecar${version}`, hint: null };
    }
    if (!counts) {
      return {
        state: 'not-checked',
        reason:
          'the injector gives sidecars to the pods of controllers and of system:masters only, and this user is neither',
        hint: 'Ask as somebody who may impersonate the service account kube-system/replicaset-controller.',
      };
    }
    return { state: 'failed', ...whyNoSidecar(facts) };
  }
}

function restartInjector(facts: ProbeFacts): string {
  const next = mendOfBundle(facts) ?? 'Restart it with the control plane: `dapr-mtls restart -k`.';
  return `See the injector: \`dapr status -k\`. ${next}`;
}

function whyNoSidecar(facts: ProbeFacts): { readonly reason: string; readonly hint: string } {
  const { namespace } = facts;
  const { webhook, readyReplicas } = facts.injector;
  const silently = `a new pod in ${namespace} is made without a sidecar, and nobody is told`;
  if (webhook.presence === 'absent') {
    return {
      reason: `${silently}: there is no webhook configuration dapr-sidecar-injector`,
      hint: 'Install the injector anew, with `helm upgrade` or `dapr upgrade -k`.',
    };
  }
  if (readyReplicas === 0)
    return { reason: `${silently}: no replica of the injector is ready`, hint: restartInjector(facts) };
  if (webhook.object?.isSelective) {
    return {
      reason: `${silently}: the webhook is asked about some namespaces or pods only, and not about this one, or it does not answer`,
      hint: 'See whom it is asked about: kubectl get mutatingwebhookconfiguration dapr-sidecar-injector -o yaml',
    };
  }
  return { reason: `${silently}: the injector does not answer the API server`, hint: restartInjector(facts) };
}
