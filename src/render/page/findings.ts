import type { ObservedFinding } from '../../app/observation/observation.ts';
import { count } from '../text.ts';
import { foreign, type Html, html } from './escape.ts';
import { type SiteView, section } from './site-view.ts';
import { badge, figure, mend } from './words.ts';

/** Each with what it is about, why, and the mend. */
export function renderFindings(view: SiteView): Html {
  const { findings, summary, check } = view.site;
  const total = summary.error + summary.warning + summary.info;
  const counts = html`<p class="note">${figure(`${view.path}.summary.error`, summary.error)} ${noun(summary.error, 'error')}, ${figure(`${view.path}.summary.warning`, summary.warning)} ${noun(summary.warning, 'warning')}, ${figure(`${view.path}.summary.info`, summary.info)} worth knowing.</p>`;
  const none = html`<p>${check ? badge('well', 'Sentry and its clients accept this bundle.') : 'Nothing was found in what could be looked at.'}</p>`;
  return section(
    view,
    'findings',
    'Findings',
    total === 0 ? none : html`${counts}<ul class="findings">${findings.map(renderFinding)}</ul>`,
  );
}

function renderFinding({ severity, code, subject, message, hint }: ObservedFinding): Html {
  return html`<li>
<p class="finding">${badge(severity, severity)} <code class="code">${code}</code> ${foreign(subject)}</p>
<p>${message}</p>
${mend(hint)}
</li>
`;
}

function noun(number: number, word: string): string {
  return count(number, word).replace(`${number} `, '');
}
