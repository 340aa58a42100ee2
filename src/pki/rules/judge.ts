import type { BundleFiles } from '../bundle.ts';
import type { BundleReading } from '../reading.ts';
import { whySentryRefuses } from '../sentry.ts';
import { judgeAnchors } from './anchors.ts';
import { judgeBridges } from './bridge.ts';
import { mendingCommand, type RuleContext } from './context.ts';
import { judgeFiles } from './files.ts';
import { type Finding, finding, type Severity } from './finding.ts';
import { judgeIssuer } from './issuer.ts';
import { judgeKey } from './key.ts';
import { judgeLeafLifetime } from './leaf.ts';
import { judgeValidity } from './validity.ts';

const judges = [judgeFiles, judgeAnchors, judgeIssuer, judgeKey, judgeValidity, judgeBridges, judgeLeafLifetime];
const ranks: Record<Severity, number> = { error: 0, warning: 1, info: 2 };

/** Every rule, worst first. What Sentry would refuse never passes as healthy. */
export function judge(context: RuleContext): Finding[] {
  const findings = judges.flatMap((rule) => rule(context));
  const files = filesOf(context.reading);
  const refusal = files && whySentryRefuses(files, context.at);
  if (refusal && !findings.some(({ severity }) => severity === 'error')) {
    findings.push(
      finding('sentry.refuses', {
        subject: 'bundle',
        message: `Sentry would exit: ${refusal}`,
        hint: `Restore the last bundle that worked (${mendingCommand(context, 'backup restore')}) or make a new one (${mendingCommand(context, 'renew-certificate')}), which cuts off whoever holds the old anchors.`,
      }),
    );
  }
  return findings.sort((a, b) => ranks[a.severity] - ranks[b.severity]);
}

function filesOf({ anchors, issuerChain, issuerKey }: BundleReading): BundleFiles | undefined {
  if (!anchors || !issuerChain || !issuerKey) return undefined;
  return { anchors: anchors.bytes, issuerChain: issuerChain.bytes, issuerKey: issuerKey.bytes };
}
