import { count } from '../count.ts';
import type { CertificateReport } from '../report.ts';
import type { SiteReport, TrustReport } from './report.ts';

/** One place in a sentence: how long it lasts, who holds what, what was found, what was not seen. */
export function tellSite({
  expiry,
  audit,
  summary,
  unread,
}: Pick<SiteReport, 'expiry' | 'audit' | 'summary' | 'unread'>): string {
  const sentences = [
    ...(expiry ? tellEnds(expiry.root, expiry.issuer) : []),
    ...(audit ? [tellSidecars(audit.totals)] : []),
    ...tellFindings(summary),
    ...(unread.length > 0 ? [`not looked at: ${unread.map(({ part }) => notSeen[part]).join(', ')}`] : []),
  ];
  return sentences.join('; ');
}

function tellFindings({ error, warning }: SiteReport['summary']): string[] {
  const counts = [...(error > 0 ? [count(error, 'error')] : []), ...(warning > 0 ? [count(warning, 'warning')] : [])];
  return counts.length > 0 ? [counts.join(' and ')] : [];
}

const notSeen = {
  bundle: 'the bundle as a whole',
  issuer: 'the issuer',
  sidecars: 'the sidecars',
  settings: 'the settings',
};

/** Many places in a sentence; of one alone its own. */
export function tellSites(
  sites: readonly Pick<SiteReport, 'verdict'>[],
  { well, findings, failed }: TrustReport['summary'],
): string {
  const [only] = sites;
  if (only && sites.length === 1) return only.verdict;
  const needs = findings === 1 ? 'needs' : 'need';
  return `Of ${sites.length} clusters ${well} ${well === 1 ? 'is' : 'are'} well, ${findings} ${needs} attention, ${failed} could not be looked at`;
}

/** The issuer is worth a word where it ends first; a day more or less is how they are made. */
function tellEnds(root: CertificateReport, issuer: CertificateReport | null): string[] {
  if (!issuer) return [tellEnd('the root', root)];
  const isSooner = root.remainingSeconds - issuer.remainingSeconds > daySeconds;
  const speaks = isSooner || issuer.status === 'not-yet-valid' || issuer.status === 'expired';
  return [tellEnd('the root', root), ...(speaks ? [tellEnd('the issuer', issuer)] : [])];
}

const daySeconds = 86_400;

function tellEnd(name: string, { status, notBefore, notAfter, remainingSeconds }: CertificateReport): string {
  if (status === 'expired') return `${name} has ended on ${dayOf(notAfter)}`;
  if (status === 'not-yet-valid') return `${name} is not valid before ${dayOf(notBefore)}`;
  const days = Math.floor(remainingSeconds / daySeconds);
  const left = days >= 2 ? count(days, 'day') : count(Math.floor(remainingSeconds / 3600), 'hour');
  return `${name} ends in ${left}, on ${dayOf(notAfter)}`;
}

function dayOf(instant: string): string {
  return instant.slice(0, 'YYYY-MM-DD'.length);
}

function tellSidecars({ sidecars, current, ...counts }: NonNullable<SiteReport['audit']>['totals']): string {
  if (sidecars === 0) return 'no sidecar was found';
  if (current === sidecars)
    return `${sidecars === 1 ? 'the one sidecar holds' : `all ${sidecars} sidecars hold`} the root`;
  const behind = (['broken', 'stale', 'unknown'] as const).filter((state) => counts[state] > 0);
  return `of ${count(sidecars, 'sidecar')} ${behind.map((state) => `${counts[state]} ${counts[state] === 1 ? 'is' : 'are'} ${state}`).join(', ')}`;
}
