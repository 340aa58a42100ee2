import type { CertificateReport } from '../../app/report.ts';
import type { SiteReport } from '../../app/trust-report/report.ts';
import { formatSpan } from '../instant.ts';
import { foreign, type Html, html, lines } from './escape.ts';

type Certificate = Pick<CertificateReport, 'remainingSeconds' | 'status' | 'notBefore'>;

/** A sign and a word: the colour is never alone. */
export function badge(kind: Kind, word: string): Html {
  return html`<span class="badge ${kind}"><span class="sign" aria-hidden="true">${signs[kind]}</span> ${word}</span>`;
}

export type Kind = keyof typeof signs;

const signs = {
  failed: '⊘',
  error: '✕',
  warning: '!',
  info: 'i',
  unknown: '?',
  well: '✓',
} as const;

export const resultWords: Record<SiteReport['result'], string> = {
  failed: 'not looked at',
  error: 'broken',
  warning: 'needs attention',
  well: 'well',
};

/** What became of a certificate, in a word. */
export const statusKinds: Record<CertificateReport['status'], Kind> = {
  valid: 'well',
  expiring: 'warning',
  expired: 'error',
  'not-yet-valid': 'error',
};

export const stateKinds = { broken: 'error', stale: 'warning', unknown: 'unknown', current: 'well' } as const;

/** `312 days left`, `1 day 4 hours left`, `ended 3 days ago`, `begins on 2027-01-01`. */
export function tellRest({ remainingSeconds, status, notBefore }: Certificate): string {
  if (status === 'not-yet-valid') return `begins on ${notBefore.slice(0, 10)}`;
  const days = Math.floor(Math.abs(remainingSeconds) / 86_400);
  const span = days >= 2 ? `${days} days` : formatSpan(remainingSeconds);
  return status === 'expired' ? `ended ${span} ago` : `${span} left`;
}

/** `2027-11-22 00:55 UTC`, and for machines the whole. */
export function instant(rfc3339: string): Html {
  return html`<time datetime="${rfc3339}">${rfc3339.slice(0, 10)} ${rfc3339.slice(11, 16)} UTC</time>`;
}

export function day(rfc3339: string): Html {
  return html`<time datetime="${rfc3339}">${rfc3339.slice(0, 10)}</time>`;
}

/** What stands between backticks, and what follows on lines of its own, is to copy; a click marks the whole of it. */
export function mend(hint: string): Html {
  const [sentence = '', ...manifest] = hint.split('\n');
  const parts = sentence.split(/`([^`]+)`/).map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part));
  const block = manifest.length > 0 ? html`<pre><code>${lines(manifest)}</code></pre>` : undefined;
  return html`<p class="mend"><strong>Mend:</strong> ${parts}</p>${block}`;
}

/** Enough to tell two apart; the whole stands with the certificate. */
export function shortFingerprint(fingerprint: string): string {
  return fingerprint.slice(0, 16);
}

/** A figure that the document has under this path. */
export function figure(path: string, value: number): Html {
  return html`<span data-figure="${path}">${value}</span>`;
}

/** A longer name pushes everything else away; the whole subject stands with the certificate. */
const longestName = 64;

export function named(subject: string, name: string): Html {
  const shown = name.length > longestName ? `${name.slice(0, longestName - 1)}…` : name;
  return html`<span class="name" title="${subject}">${foreign(shown)}</span>`;
}
