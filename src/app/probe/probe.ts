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
  const isIssuerKnown = facts.bundle.issuerChain !== undefined;
  const verdict = verdictOf(checks, isIssuerKnown);
  return document('Probe', {
    cluster: facts.cluster,
    at: formatInstant(at),
    namespace: facts.namespace,
    verdict,
    sentence: sentenceOf(verdict, checks, facts.namespace, isIssuerKnown),
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

/** Anchors are proved by an issuer alone: that of the bundle, or that of the running Sentry. */
function verdictOf(checks: readonly ProbeCheck[], isIssuerKnown: boolean): ProbeVerdict {
  if (checks.some(({ state }) => state === 'failed')) return 'broken';
  const isUnseen = checks.some(({ name, state }) => decisive.includes(name) && state === 'not-checked');
  return !isUnseen && (isIssuerKnown || isSentryVerified(checks)) ? 'works' : 'unknown';
}

function isSentryVerified(checks: readonly ProbeCheck[]): boolean {
  return checks.some(({ name, state }) => name === 'sentry' && state === 'ok');
}

function sentenceOf(
  verdict: ProbeVerdict,
  checks: readonly ProbeCheck[],
  namespace: string,
  isIssuerKnown: boolean,
): string {
  const first = (state: ProbeCheck['state']) => checks.find((check) => check.state === state);
  switch (verdict) {
    case 'broken':
      return `The next pod in ${namespace} will not get working trust: ${first('failed')?.reason}.`;
    case 'unknown': {
      const unseen = checks.find(({ name, state }) => decisive.includes(name) && state === 'not-checked');
      const why =
        unseen?.reason ??
        'what its sidecar is given could be held against the anchors of the bundle only; the issuer in use is not known, and the running Sentry was not checked';
      return `Whether the next pod in ${namespace} will get working trust is not known: ${why}.`;
    }
    case 'works': {
      const warning = first('warning');
      const caveat = warning ? ` But ${warning.reason}.` : '';
      return `The next pod in ${namespace} will get working trust: what its sidecar is given verifies ${proofOf(checks, isIssuerKnown)}.${caveat}`;
    }
  }
}

function proofOf(checks: readonly ProbeCheck[], isIssuerKnown: boolean): string {
  if (!isIssuerKnown) return 'the running Sentry; the issuer of the bundle is not known';
  return isSentryVerified(checks)
    ? 'the issuer in use, and the running Sentry verifies under it'
    : 'the issuer in use; the running Sentry was not checked';
}
