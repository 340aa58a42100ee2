import type { ProbeFacts } from './facts.ts';
import { mendOfPair } from './mends.ts';
import type { ProbeCheck } from './report.ts';

type Verdict = Omit<ProbeCheck, 'name'>;

/** Are Secret and ConfigMap one bundle? The next Sentry to start on two makes a new root. */
export function judgeBundle({ bundle, hasConfigMap }: ProbeFacts): ProbeCheck {
  return { name: 'bundle', ...judge() };

  function judge(): Verdict {
    const { secretAnchors, configMapAnchors, unread } = bundle;
    if (!hasConfigMap) return { state: 'not-checked', reason: 'up to Dapr 1.11 there is the Secret alone', hint: null };
    if (unread.length > 0) return { state: 'not-checked', reason: unread.join('; '), hint: null };
    const hint = mendOfPair(bundle);
    if (hint === undefined) return { state: 'ok', reason: 'Secret and ConfigMap hold the same anchors', hint: null };
    if (secretAnchors && configMapAnchors) {
      const reason = 'Secret and ConfigMap hold different anchors, and the next Sentry to start makes a new root';
      return { state: 'warning', reason, hint };
    }
    const empty = secretAnchors ? 'ConfigMap' : 'Secret';
    return {
      state: 'warning',
      reason: `there are no anchors in the ${empty}, and the next Sentry does not start or makes a new root`,
      hint,
    };
  }
}
