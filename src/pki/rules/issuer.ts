import { findRoot } from '../bundle.ts';
import type { Certificate } from '../certificate.ts';
import { verifyLeafOf, whyNotSigned } from '../chain.ts';
import { visibleCertificatesOf } from '../reading.ts';
import { isAtLeast, mendingCommand, type RuleContext } from './context.ts';
import { type Finding, type FindingCode, finding } from './finding.ts';

/** The issuer and the chain behind it: what Sentry checks, and what only its clients do. */
export function judgeIssuer(context: RuleContext): Finding[] {
  const { reading, names } = context;
  const [issuer, ...rest] = visibleCertificatesOf(reading.issuerChain);
  if (!issuer) return [];
  const subject = `${names.issuerChain}: ${issuer.subject}`;
  if (!whyNotSigned(issuer, issuer)) {
    return [
      finding('issuer.is-root', {
        subject,
        message: 'the issuer is self-signed; Sentry needs an issuer that a root has signed',
        hint: `Make an issuer under this root: ${mendingCommand(context, 'renew-certificate --private-key ROOT.KEY')}.`,
      }),
    ];
  }
  return [
    ...judgeOrder([issuer, ...rest], subject),
    ...judgeLeaves([issuer, ...rest], context, subject),
    ...judgeNames(issuer, context, subject),
    ...judgeRoom(issuer, context, subject),
  ];
}

function judgeOrder(chain: readonly Certificate[], subject: string): Finding[] {
  const broken = chain.findIndex((link, index) => {
    const next = chain[index + 1];
    return next !== undefined && whyNotSigned(link, next) !== undefined;
  });
  if (broken < 0) return [];
  return [
    finding('issuer.order', {
      subject,
      message: `certificate ${broken + 1} of the chain is not signed by certificate ${broken + 2}`,
      hint: 'Put the issuer first and behind each certificate the one that signed it.',
    }),
  ];
}

/**
 * Whether what this issuer signs would verify. Peers ask for any usage (go-spiffe); Sentry asks its
 * own issuer for serverAuth; Dapr up to 1.13 asks clients for clientAuth.
 */
function judgeLeaves(
  chain: readonly [Certificate, ...Certificate[]],
  context: RuleContext,
  subject: string,
): Finding[] {
  const { reading, at, daprVersion } = context;
  const anchors = visibleCertificatesOf(reading.anchors);
  if (anchors.length === 0) return [];
  // Their dates are judged by themselves, and nothing verifies outside of them.
  if ([chain[0], findRoot(anchors, chain)].some((one) => one && !isValidAt(one, at))) return [];
  const forPeers = verifyLeafOf(chain, { anchors, at });
  if (!forPeers.ok) return explainFailure(forPeers.reason, subject, context);
  const forSentry = verifyLeafOf(chain, { anchors, at, usage: 'serverAuth' });
  if (!forSentry.ok) return explainFailure(forSentry.reason, subject, context);
  const asksForClientAuth = daprVersion === undefined || !isAtLeast(daprVersion, 1, 14);
  if (!asksForClientAuth || verifyLeafOf(chain, { anchors, at, usage: 'clientAuth' }).ok) return [];
  return [
    finding('leaf.does-not-verify', {
      subject,
      severity: daprVersion ? 'error' : 'info',
      message: 'the issuer is not good for clients (no clientAuth), which Dapr up to 1.13 asks for',
      hint: `Nothing to do on Dapr 1.14 and later; else have it made anew: ${mendingCommand(context, 'renew-certificate')}.`,
    }),
  ];
}

function isValidAt({ notBefore, notAfter }: Certificate, at: Date): boolean {
  return at >= notBefore && at <= notAfter;
}

const explanations: readonly [reason: RegExp, FindingCode, mend: string, command: string][] = [
  [
    /not a certificate authority|no keyCertSign/,
    'issuer.not-authority',
    'Have the issuer made anew as an authority',
    'renew-certificate',
  ],
  [
    /path length/,
    'issuer.path-length',
    'Make the chain shorter, or have the issuer made anew without a path length',
    'renew-certificate',
  ],
  [
    /unknown authority|does not verify/,
    'issuer.unknown-authority',
    'Put the root that signed the issuer among the anchors, or restore both',
    'backup restore',
  ],
];

function explainFailure(reason: string, subject: string, context: RuleContext): Finding[] {
  const explained = explanations.find(([pattern]) => pattern.test(reason));
  const message = `leaves of this issuer do not verify: ${reason}`;
  if (!explained)
    return [
      finding('leaf.does-not-verify', {
        subject,
        message,
        hint: `Have the issuer made anew: ${mendingCommand(context, 'renew-certificate')}.`,
      }),
    ];
  const [, code, mend, command] = explained;
  return [finding(code, { subject, message, hint: `${mend}: ${mendingCommand(context, command)}.` })];
}

function judgeNames(issuer: Certificate, context: RuleContext, subject: string): Finding[] {
  const { daprVersion } = context;
  const { dnsNames } = issuer.detail;
  if (dnsNames.length > 0 || (daprVersion && isAtLeast(daprVersion, 1, 14))) return [];
  return [
    finding('issuer.no-dns-name', {
      subject,
      // Sentry's own issuers carry none since 1.12, so it is no defect unless old clients are there.
      severity: daprVersion && !isAtLeast(daprVersion, 1, 12) ? 'error' : 'info',
      message: 'the issuer has no DNS name, which clients of Dapr up to 1.13 may ask for',
      hint: `Nothing to do on Dapr 1.14 and later; else ${mendingCommand(context, 'renew-certificate')} writes one.`,
    }),
  ];
}

/** A bridge puts two authorities below the old issuer and three below the old root. */
function judgeRoom(issuer: Certificate, { reading }: RuleContext, subject: string): Finding[] {
  const issuerRoom = issuer.detail.basicConstraints?.pathLength ?? Number.POSITIVE_INFINITY;
  const roots = visibleCertificatesOf(reading.anchors).filter((anchor) => !whyNotSigned(issuer, anchor));
  const rootRoom = Math.max(
    ...roots.map((root) => root.detail.basicConstraints?.pathLength ?? Number.POSITIVE_INFINITY),
  );
  if (issuerRoom >= 2 && (roots.length === 0 || rootRoom >= 3)) return [];
  return [
    finding('issuer.bars-bridge', {
      subject,
      message: `a path length of ${issuerRoom < 2 ? `${issuerRoom} on the issuer` : `${rootRoom} on the root`} leaves no room for a bridge`,
      hint: 'Renew with the root key (`--private-key`) while you have it; issuers made by this program carry no path length.',
    }),
  ];
}
