import type { InspectedCertificate } from '../../app/inspect.ts';
import { shortName } from '../text.ts';
import { foreign, type Html, html } from './escape.ts';
import { linkTo, type SiteView, section } from './site-view.ts';
import { positionOf, scaleOf, type Tick, type TimeScale, ticksOf } from './time-scale.ts';
import { badge, day, named, statusKinds, tellRest } from './words.ts';

/** Every certificate in a table, whose last column is one axis of time: what it shows is told in the others. */
export function renderTimeAxis(view: SiteView): Html | undefined {
  const { inspect } = view.site;
  if (!inspect || inspect.certificates.length === 0) return undefined;
  const { certificates, at } = inspect;
  const spans = certificates.map(({ notBefore, notAfter }) => ({
    from: Date.parse(notBefore),
    to: Date.parse(notAfter),
  }));
  const scale = scaleOf(spans, Date.parse(at));
  return section(
    view,
    'validity',
    'Validity',
    html`<table role="table" class="axis">
<caption class="hidden">When each certificate begins and ends. The bars repeat it on one axis of time, in which a line marks ${at}.</caption>
<thead role="rowgroup"><tr role="row">
<th role="columnheader" scope="col">Certificate</th>
<th role="columnheader" scope="col">From</th>
<th role="columnheader" scope="col">Until</th>
<th role="columnheader" scope="col">Rest</th>
<th role="columnheader" scope="col" class="scale"><span class="hidden">On the axis of time</span>${renderScale(scale)}</th>
</tr></thead>
<tbody role="rowgroup">
${certificates.map((certificate) => renderRow(view, certificate, scale))}</tbody>
</table>`,
  );
}

function renderRow(view: SiteView, certificate: InspectedCertificate, scale: TimeScale): Html {
  const { role, subject, fingerprint, notBefore, notAfter, status, file } = certificate;
  return html`<tr role="row">
<th role="rowheader" scope="row"><span class="role">${role}</span> ${named(subject, shortName(subject))}<br>${linkTo(view, fingerprint)} <span class="quiet">${foreign(file)}</span></th>
<td role="cell" data-label="From">${day(notBefore)}</td>
<td role="cell" data-label="Until">${day(notAfter)}</td>
<td role="cell" data-label="Rest">${badge(statusKinds[status], tellRest(certificate))}</td>
<td role="cell" class="bar">${renderBar(certificate, scale)}</td>
</tr>
`;
}

function renderScale(scale: TimeScale): Html {
  const now = positionOf(scale, scale.now);
  return html`<svg class="ticks" aria-hidden="true" focusable="false">
<text class="now" x="${now}%" y="12" text-anchor="${anchorAt(now)}">now</text>
${ticksOf(scale)
  .filter(hasRoom)
  .map(({ label, at }) => html`<text x="${at}%" y="28" text-anchor="middle">${label}</text>`)}</svg>`;
}

/** A label nearer to an end would hang over it. */
const labelRoom = 8;

function hasRoom({ at }: Tick): boolean {
  return at > labelRoom && at < 100 - labelRoom;
}

function anchorAt(percent: number): 'start' | 'middle' | 'end' {
  if (percent < labelRoom) return 'start';
  return percent > 100 - labelRoom ? 'end' : 'middle';
}

/** What has passed of it is paler than what is left. */
function renderBar({ notBefore, notAfter, status }: InspectedCertificate, scale: TimeScale): Html {
  const now = positionOf(scale, scale.now);
  const from = positionOf(scale, Date.parse(notBefore));
  const to = positionOf(scale, Date.parse(notAfter));
  const turn = Math.min(to, Math.max(from, now));
  return html`<svg class="${status}" aria-hidden="true" focusable="false">
${ticksOf(scale).map(({ at }) => html`<line class="grid" x1="${at}%" x2="${at}%" y1="0" y2="100%"/>`)}
${part('passed', from, turn)}${part('left', turn, to)}
<line class="now" x1="${now}%" x2="${now}%" y1="0" y2="100%"/></svg>`;
}

function part(name: 'passed' | 'left', from: number, to: number): Html | undefined {
  const width = Math.round((to - from) * 100) / 100;
  return width > 0
    ? html`<rect class="${name}" x="${from}%" y="50%" width="${width}%" height="10" transform="translate(0 -5)"/>`
    : undefined;
}
