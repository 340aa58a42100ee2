import { document, formatInstant } from '../report.ts';
import { anchorsIn, anchorsOfNextPod } from './anchors.ts';
import type { ProbeFacts } from './facts.ts';
import { judgeGivenAnchors } from './judge-anchors.ts';
import { judgeBundle } from './judge-bundle.ts';
import { judgeInjection } from './judge-injection.ts';
import { judgeSentry } from './judge-sentry.ts';
import { judgeWebhook } from './judge-webhook.ts';
import type { CheckName, ProbeCheck, ProbeReport, ProbeVerdict } from './report.ts';

/** Will the next pod get working trust? Pure: everything was asked before. */
export function judgeProbe(facts: ProbeFacts, at: Date): ProbeReport {
  const injection = judgeInjection(facts);
  const checks = [
    injection,
    judgeGivenAnchors(facts, at),
    judgeWebhook(facts, injection.state === 'ok', at),
    judgeSentry(facts, at),
    judgeBundle(facts),
  ];
  const verdict = verdictOf(checks);
  return document('Probe', {
    cluster: facts.cluster,
    at: formatInstant(at),
    namespace: facts.namespace,
    verdict,
    sentence: sentenceOf(verdict, checks, facts.namespace),
    checks,
    anchors: anchorsIn(anchorsOfNextPod(facts)).map(({ fingerprint, subject, notAfter }) => ({
      fingerprint,
      subject,
      notAfter: formatInstant(notAfter),
    })),
    mtlsEnabled: facts.mtlsEnabled ?? null,
  });
}

/** 10 when the next pod is cut off (error), or that it is not was not proved, or will not last (warning). */
export function exitCodeOfProbe({ verdict, checks }: ProbeReport, failOn: 'never' | 'warning' | 'error'): number {
  if (failOn === 'never') return 0;
  if (verdict === 'broken') return 10;
  const isDoubtful = verdict === 'unknown' || checks.some(({ state }) => state === 'warning');
  return failOn === 'warning' && isDoubtful ? 10 : 0;
}

/** Without a look at the sidecar and at what it is given nothing is proved; Sentry is mostly out of reach. */
const decisive: readonly CheckName[] = ['injection', 'anchors'];

function verdictOf(checks: readonly ProbeCheck[]): ProbeVerdict {
  if (checks.some(({ state }) => state === 'failed')) return 'broken';
  const isUnknown = checks.some(({ name, state }) => decisive.includes(name) && state === 'not-checked');
  return isUnknown ? 'unknown' : 'works';
}

function sentenceOf(verdict: ProbeVerdict, checks: readonly ProbeCheck[], namespace: string): string {
  const first = (state: ProbeCheck['state']) => checks.find((check) => check.state === state);
  switch (verdict) {
    case 'broken':
      return `The next pod in ${namespace} will not get working trust: ${first('failed')?.reason}.`;
    case 'unknown':
      return `Whether the next pod in ${namespace} will get working trust is not known: ${first('not-checked')?.reason}.`;
    case 'works': {
      const warning = first('warning');
      const sentry = checks.find(({ name }) => name === 'sentry');
      const proof =
        sentry?.state === 'ok' ? ', and the running Sentry verifies under it' : '; the running Sentry was not checked';
      const caveat = warning ? ` But ${warning.reason}.` : '';
      return `The next pod in ${namespace} will get working trust: what its sidecar is given verifies the issuer in use${proof}.${caveat}`;
    }
  }
}
