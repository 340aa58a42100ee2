import { formatInstant } from '../report.ts';
import { issuerOf, type Picture, rootOf, type WatchedCertificate } from './picture.ts';
import type { SidecarSight } from './ports.ts';
import { describeFinding } from './warnings.ts';

/** What differs between two looks. */
export interface Change {
  /** One word in CamelCase. */
  readonly reason: string;
  readonly about: string;
  readonly message: string;
}

/**
 * Each difference once. What was not seen this time, such as the issuer while Sentry is away, has
 * not changed: it is compared with when it was seen last.
 */
export function findChanges(before: Picture, after: Picture): Change[] {
  return [
    ...findReplacement('Root', rootOf(before), rootOf(after), anchorsOf(after)),
    ...findReplacement('Issuer', issuerOf(before), issuerOf(after), []),
    ...findAnchors(before, after),
    ...findSidecars(before, after),
    ...findGone(before, after),
    ...findUnread(before, after),
  ];
}

/** The picture to compare the next one with: parts that were not seen are those of before. */
export function remember(before: Picture | undefined, after: Picture): Picture {
  const isSeen = (part: 'root' | 'issuer') => after.certificates.some(({ role }) => role === part);
  const missing = (before?.certificates ?? []).filter(
    ({ role, certificate }) =>
      (role === 'issuer' && !isSeen('issuer')) || (role === 'root' && !isSeen('root') && holds(after, certificate)),
  );
  const kept = new Set(missing.map(({ certificate }) => certificate.fingerprint));
  const seen = after.certificates.filter(
    ({ role, certificate }) => role !== 'anchor' || !kept.has(certificate.fingerprint),
  );
  return {
    ...after,
    certificates: [...seen, ...missing],
    sidecars: rememberSidecars(before?.sidecars, after.sidecars),
  };
}

/** While some lack the root, the most that were told of: only more of them are news. */
function rememberSidecars(before: Picture['sidecars'], after: Picture['sidecars']): Picture['sidecars'] {
  if (!before || !after) return after ?? before;
  if (before.problem !== null || after.problem !== null) return after;
  return countBehind(after) > 0 && countBehind(after) < countBehind(before) ? before : after;
}

function countBehind({ totals }: SidecarSight): number {
  return totals.stale + totals.broken;
}

function holds({ certificates }: Picture, { fingerprint }: WatchedCertificate['certificate']): boolean {
  return certificates.some(({ certificate }) => certificate.fingerprint === fingerprint);
}

function anchorsOf({ certificates }: Picture): readonly WatchedCertificate[] {
  return certificates.filter(({ role }) => role === 'root' || role === 'anchor');
}

function findReplacement(
  what: 'Root' | 'Issuer',
  before: WatchedCertificate | undefined,
  after: WatchedCertificate | undefined,
  anchors: readonly WatchedCertificate[],
): Change[] {
  if (!before || !after || isSame(before, after)) return [];
  const stays = anchors.some((anchor) => isSame(anchor, before));
  const rest =
    what === 'Issuer' ? '' : stays ? '; the old one is still an anchor' : '; the old one is no anchor any more';
  const message = `The ${what.toLowerCase()} certificate was replaced: ${name(before)} by ${name(after)}${rest}`;
  return [{ reason: `${what}Replaced`, about: after.certificate.fingerprint, message }];
}

/** Without those of which the replacement of the root tells. */
function findAnchors(before: Picture, after: Picture): Change[] {
  const [root, newRoot] = [rootOf(before), rootOf(after)];
  const isReplaced = root !== undefined && newRoot !== undefined && !isSame(root, newRoot);
  const told = isReplaced ? [root, newRoot] : [];
  const missing = (from: Picture, others: Picture) =>
    anchorsOf(from).filter((anchor) => ![...anchorsOf(others), ...told].some((other) => isSame(anchor, other)));
  const tell = (reason: string, verb: string) => (anchor: WatchedCertificate) => ({
    reason,
    about: anchor.certificate.fingerprint,
    message: `A trust anchor was ${verb}: ${name(anchor)}`,
  });
  return [
    ...missing(after, before).map(tell('AnchorAdded', 'added')),
    ...missing(before, after).map(tell('AnchorRemoved', 'removed')),
  ];
}

/** Fewer of them are worth a word when it is none: a rollout counts down by one each second. */
function findSidecars({ sidecars: before }: Picture, { sidecars: after }: Picture): Change[] {
  if (!before || !after) return [];
  const about = 'sidecars';
  const wasCutOff = before.problem !== null;
  if (after.problem !== null) {
    const message = `No sidecar verifies its peers any more, whatever it holds: ${after.problem}`;
    return wasCutOff || after.totals.broken === 0 ? [] : [{ reason: 'SidecarsCutOff', about, message }];
  }
  // Who was counted while nobody verified anything says nothing of what they hold.
  const [earlier, now] = [wasCutOff ? 0 : countBehind(before), countBehind(after)];
  if (now > earlier) {
    const message = `${now} of ${after.totals.sidecars} sidecars lack a trust anchor that they need, ${earlier} when it was told last`;
    return [{ reason: 'SidecarsFellBehind', about, message }];
  }
  if (now > 0 || (earlier === 0 && !wasCutOff)) return [];
  return [{ reason: 'SidecarsFollowed', about, message: describeFollowed(after) }];
}

/** Those that lacked an anchor may have gone, and all others with them. */
function describeFollowed({ totals: { current } }: SidecarSight): string {
  return current === 0
    ? 'No sidecar that can be judged is left, so none lacks a trust anchor'
    : `All ${current} sidecars that can be judged hold the trust anchors that they need`;
}

/** What is found new is a warning; that it is over is a change. */
function findGone(before: Picture, after: Picture): Change[] {
  return before.findings
    .filter(({ severity }) => severity !== 'info')
    .filter(({ code, subject }) => !after.findings.some((found) => found.code === code && found.subject === subject))
    .map((gone) => ({
      reason: 'FindingGone',
      about: `${gone.code} ${gone.subject}`,
      message: `No longer so: ${describeFinding(gone)}`,
    }));
}

function findUnread(before: Picture, after: Picture): Change[] {
  const tell = (reason: string, words: string, from: Picture, others: Picture) =>
    from.unread
      .filter((sentence) => !others.unread.some((other) => stemOf(other) === stemOf(sentence)))
      .map((sentence) => ({ reason, about: stemOf(sentence), message: `${words}${sentence}` }));
  return [...tell('NotChecked', '', after, before), ...tell('CheckedAgain', 'No longer so: ', before, after)];
}

/** Behind it stand the words of whoever refused, which are others each time. */
function stemOf(sentence: string): string {
  return sentence.split(' (', 1)[0] ?? sentence;
}

function isSame(a: WatchedCertificate, b: WatchedCertificate): boolean {
  return a.certificate.fingerprint === b.certificate.fingerprint;
}

function name({ certificate }: WatchedCertificate): string {
  return `${certificate.fingerprint.slice(0, 16)} (until ${formatInstant(certificate.notAfter)})`;
}
