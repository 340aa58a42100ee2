import type { Finding } from '../../pki/rules/finding.ts';
import type { Picture, WatchedCertificate } from './picture.ts';

/** Something that is wrong for as long as it stands. */
export interface Warning {
  /** One word in CamelCase. */
  readonly reason: string;
  readonly about: string;
  readonly message: string;
  readonly level: 'warning' | 'error';
  /** Else it is told once, until it has gone and come back. */
  readonly isHourly: boolean;
}

export function keyOf({ reason, about }: Pick<Warning, 'reason' | 'about'>): string {
  return `${reason} ${about}`;
}

/** All that is wrong at an instant, the gravest first. */
export function findWarnings(picture: Picture, at: Date): Warning[] {
  const isRootKnown = picture.certificates.some(({ role }) => role === 'root');
  return [
    ...picture.findings.flatMap((found) => {
      const { severity, code, subject, hint } = found;
      if (severity === 'info') return [];
      return {
        reason: camelCase(code),
        about: subject,
        message: `${describeFinding(found)}. ${hint}`,
        level: severity,
        isHourly: severity === 'error',
      };
    }),
    ...picture.certificates.flatMap((watched) => warnOfEnd(watched, at, isRootKnown)),
    ...warnOfSidecars(picture),
  ];
}

/** A message may begin with its subject, and else says "it" of it. */
export function describeFinding({ subject, message, code }: Finding): string {
  return `${message.startsWith(subject) ? '' : `${subject}: `}${message} (${code})`;
}

/** `cluster.bundle-mismatch` as `ClusterBundleMismatch`. */
function camelCase(code: string): string {
  return code.replace(/(?:^|[.-])([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

const words = {
  root: { name: 'root certificate', reason: 'Root' },
  issuer: { name: 'issuer certificate', reason: 'Issuer' },
  anchor: { name: 'trust anchor', reason: 'Anchor' },
  bridge: { name: 'bridge certificate', reason: 'Bridge' },
  intermediate: { name: 'intermediate certificate', reason: 'Intermediate' },
} as const;

/**
 * The sentences of Dapr's documentation; Sentry 1.7 to 1.11 wrote that of the root (pkg/sentry/sentry.go),
 * whole hours and never in the singular. There may be several of the other roles: they bear a fingerprint.
 */
function warnOfEnd({ role, certificate, warnFrom }: WatchedCertificate, at: Date, isRootKnown: boolean): Warning[] {
  const { notAfter, fingerprint } = certificate;
  if (at < warnFrom) return [];
  const { name, reason } = words[role];
  const isOnlyOne = role === 'root' || role === 'issuer';
  const subject = `Dapr ${name}${isOnlyOne ? '' : ` ${fingerprint.slice(0, 16)}`} expiration warning:`;
  const common = { about: fingerprint, level: 'warning' as const };
  if (notAfter < at) {
    // Nothing hangs on an anchor beside the root once it is over: who held it alone shows as a sidecar.
    const isHourly = isOnlyOne || !isRootKnown;
    return [{ ...common, reason: `${reason}Expired`, message: `${subject} certificate has expired.`, isHourly }];
  }
  const hours = Math.trunc((notAfter.getTime() - at.getTime()) / 3_600_000);
  const rest = `${Math.trunc(hours / 24)} days and ${hours % 24} hours`;
  return [
    { ...common, reason: `${reason}Expiring`, message: `${subject} certificate expires in ${rest}`, isHourly: true },
  ];
}

/** More names than these are for `dapr-mtls audit -k`. */
const namesShown = 3;

function warnOfSidecars({ sidecars, findings }: Pick<Picture, 'sidecars' | 'findings'>): Warning[] {
  if (!sidecars) return [];
  const { totals, behind, problem } = sidecars;
  const count = totals.stale + totals.broken;
  if (count === 0) return [];
  const common = { about: 'sidecars', level: 'warning', isHourly: true } as const;
  if (problem !== null) {
    // A pod that is re-created now gets a sidecar that never starts.
    const message = `Dapr sidecar warning: none of ${totals.sidecars} sidecars verifies its peers, whatever it holds: ${problem}. The bundle comes first: \`dapr-mtls check -k\`.`;
    return [{ ...common, reason: 'SidecarsCutOff', message }];
  }
  const names = behind.slice(0, namesShown).map(({ namespace, kind, name }) => `${namespace}/${kind}/${name}`);
  const others = behind.length > namesShown ? ' and others' : '';
  const where = names.length === 0 ? '' : `: ${names.join(', ')}${others}`;
  return [
    {
      ...common,
      reason: 'SidecarsBehind',
      message: `Dapr sidecar warning: ${count} of ${totals.sidecars} sidecars lack a trust anchor that they need (${totals.stale} stale, ${totals.broken} broken)${where}. ${mendOf(findings)}`,
    },
  ];
}

/** A pod that is re-created while the bundle is wrong holds no better anchors, or gets no certificate. */
function mendOf(findings: Picture['findings']): string {
  const first = findings.find(({ severity }) => severity === 'error');
  return first
    ? `Do not re-create them before ${first.code} is mended: \`dapr-mtls check -k\`.`
    : 'Re-create them: `dapr-mtls restart -k --apps`.';
}

/** When the clock alone will make a warning of what is none yet. */
export function nextTurnOf({ certificates }: Picture, at: Date): Date | undefined {
  const turns = certificates.flatMap(({ certificate, warnFrom }) => [
    warnFrom.getTime(),
    certificate.notAfter.getTime() + 1,
  ]);
  const coming = turns.filter((turn) => turn > at.getTime());
  return coming.length === 0 ? undefined : new Date(Math.min(...coming));
}
