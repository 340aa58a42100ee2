import { createHash } from 'node:crypto';
import { type Html, html, print } from './escape.ts';

export function style(): Html {
  return html`<style>${css}</style>`;
}

/** By which the page's own policy lets this style in, and none that somebody smuggled into a name. */
export function styleHash(): string {
  return `sha256-${createHash('sha256').update(print(css)).digest('base64')}`;
}

/** Colours that keep a contrast of 4.5 to 1 for text on both grounds, of 3 to 1 for bars. */
const css = html`
:root {
  color-scheme: light dark;
  --ground: #fff; --panel: #f5f6f8; --text: #1c2127; --quiet: #57606b; --line: #d9dde3; --strong-line: #aab2bc;
  --link: #0b5394; --error: #b3261e; --warning: #855300; --well: #1c6b3f; --info: #41597a; --failed: #5b4a8a;
  --bar: #5f7a9c; --passed: #cbd3de;
  --mono: ui-monospace, 'SF Mono', SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #15181c; --panel: #1d2126; --text: #e4e7eb; --quiet: #a3adb8; --line: #31373f; --strong-line: #59636f;
    --link: #8fbcff; --error: #ff9c91; --warning: #f0c268; --well: #7fd3a2; --info: #a5bde0; --failed: #c0b0f0;
    --bar: #7d9cc4; --passed: #3a444f;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-padding-top: 1rem; }
body {
  margin: 0 auto; padding: 2rem 1.5rem 3rem; max-width: 72rem; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
h1, h2, h3, p, ul, dl, dd, table, figure { margin: 0; padding: 0; }
h1 { font-size: 2rem; line-height: 1.2; font-weight: 650; letter-spacing: -0.015em; }
h2 { font-size: 1.25rem; line-height: 1.3; font-weight: 650; letter-spacing: -0.005em; }
h3 { font-size: 1.0625rem; line-height: 1.4; font-weight: 650; }
a { color: var(--link); text-underline-offset: 0.15em; text-decoration-thickness: 1px; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 2px; }
main:focus { outline: none; }
code { font: 0.875em/1.4 var(--mono); }
.mend code { padding: 0.1em 0.35em; background: var(--panel); border: 1px solid var(--line); border-radius: 3px; user-select: all; -webkit-user-select: all; -webkit-box-decoration-break: clone; box-decoration-break: clone; }
pre { margin: 0.5rem 0 0; padding: 0.6rem 0.8rem; max-width: 54rem; background: var(--panel); border: 1px solid var(--line); border-radius: 3px; white-space: pre-wrap; user-select: all; -webkit-user-select: all; }
.hidden, .skip:not(:focus) { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip:focus { position: absolute; top: 0.5rem; left: 0.5rem; padding: 0.4rem 0.8rem; background: var(--ground); }
.quiet, .note { color: var(--quiet); }
.note { font-size: 0.875rem; max-width: 48rem; }
.kicker { color: var(--quiet); font-size: 0.875rem; margin-bottom: 0.35rem; }
.kicker strong { color: var(--text); font-weight: 600; }
.verdict { margin-top: 0.5rem; max-width: 48rem; }
header .verdict { font-size: 1.0625rem; }
nav { margin-top: 1.25rem; font-size: 0.875rem; border-bottom: 1px solid var(--line); }
nav ul { display: flex; flex-wrap: wrap; list-style: none; gap: 0 1.25rem; }
nav a { display: inline-block; padding: 0.4rem 0; text-decoration: none; }
nav a:hover { text-decoration: underline; }
footer { margin-top: 3rem; padding-top: 0.75rem; border-top: 1px solid var(--line); color: var(--quiet); font-size: 0.8125rem; }
.part { margin-top: 2.25rem; }
.part > :is(h2, h3) { margin-bottom: 0.6rem; }
.site { margin-top: 3rem; padding-top: 1.25rem; border-top: 2px solid var(--text); }
.site .part { margin-top: 1.75rem; }
.back { margin-top: 1.5rem; font-size: 0.875rem; }

.badge { font-weight: 600; }
.badge .sign { display: inline-block; min-width: 1.05em; text-align: center; font-weight: 700; }
.badge.error { color: var(--error); }
.badge.warning { color: var(--warning); }
.badge.well { color: var(--well); }
.badge.info { color: var(--info); }
.badge.unknown { color: var(--quiet); }
.badge.failed { color: var(--failed); }
td .badge, .node .badge { font-weight: 500; }
h1 .badge { font-weight: inherit; }
h1 .sign { min-width: 0; margin-right: 0.1em; }
td .badge, .node .badge { white-space: nowrap; }
time { white-space: nowrap; }
.role { color: var(--quiet); font-size: 0.8125rem; font-weight: 400; }
.name { font-weight: 600; }
.fingerprint { white-space: nowrap; }

.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: 1rem 2rem; margin-top: 1.5rem; }
.facts dt { color: var(--quiet); font-size: 0.8125rem; }
.facts dd { font-weight: 600; }
.facts .big { display: block; font-size: 1.125rem; line-height: 1.35; }
.facts .quiet { display: block; font-size: 0.875rem; font-weight: 400; }

ul.findings { list-style: none; margin-top: 0.75rem; border-top: 1px solid var(--line); }
.findings > li { padding: 0.75rem 0; border-bottom: 1px solid var(--line); }
.findings p { max-width: 54rem; }
.findings.unread { margin-top: 1.5rem; }
.finding { font-weight: 600; }
.finding .code { font-weight: 400; color: var(--quiet); }
.mend { margin-top: 0.2rem; }

table { width: 100%; border-collapse: collapse; text-align: left; }
caption { text-align: left; font-weight: 600; font-size: 0.875rem; padding-bottom: 0.25rem; }
th, td { padding: 0.4rem 1.25rem 0.4rem 0; vertical-align: baseline; border-bottom: 1px solid var(--line); font-weight: 400; }
thead th { color: var(--quiet); font-size: 0.8125rem; border-bottom-color: var(--strong-line); }
tr > :last-child { padding-right: 0; }
.numeric { text-align: right; white-space: nowrap; }

.axis tr { display: grid; grid-template-columns: minmax(0, 17rem) 6.5rem 6.5rem 9rem minmax(0, 1fr); align-items: stretch; border-bottom: 1px solid var(--line); }
.axis, .axis thead, .axis tbody { display: block; }
.axis thead tr { align-items: end; border-bottom-color: var(--strong-line); }
.axis th, .axis td { border: 0; padding-right: 1rem; }
.axis .scale, .axis .bar { padding: 0; display: block; }
.axis svg { display: block; width: 100%; overflow: visible; }
.axis .ticks { height: 34px; }
.axis td.bar { position: relative; min-height: 2rem; }
.axis td.bar svg { position: absolute; inset: 0; height: 100%; }
.axis tbody td { line-height: 1.75; }
.axis tbody th .quiet { font-size: 0.8125rem; }
.ticks text { fill: var(--quiet); font-size: 11.5px; }
.ticks .now { fill: var(--text); font-weight: 600; }
.bar .grid { stroke: var(--line); }
.bar .now { stroke: var(--text); stroke-width: 1.5; }
.bar .left { fill: var(--bar); }
.bar .passed { fill: var(--passed); }
.bar .expiring .left { fill: var(--warning); stroke: var(--warning); stroke-width: 2; }
.bar .expired .passed { fill: none; stroke: var(--error); stroke-width: 1.5; stroke-dasharray: 4 3; }
.bar .not-yet-valid .left { fill: none; stroke: var(--error); stroke-width: 1.5; }

.tree { list-style: none; }
.tree .tree { margin-left: 0.45rem; padding-left: 1.1rem; border-left: 1px solid var(--strong-line); }
.node { padding: 0.3rem 0; }
.node > * { margin-right: 0.4rem; }
.tree .tree .node { position: relative; }
.tree .tree .node::before { content: ''; position: absolute; left: -1.1rem; top: 1.05rem; width: 0.75rem; border-top: 1px solid var(--strong-line); }
.tree .tree > li:last-child { margin-bottom: 0; }

.counts .count { margin-left: 0.75rem; white-space: nowrap; }
.counts { font-weight: 600; }
.share { display: block; width: 100%; height: 0.75rem; margin: 0.6rem 0; }
.share .error { fill: var(--error); }
.share .warning { fill: var(--warning); }
.share .unknown { fill: var(--strong-line); }
.share .well { fill: var(--passed); }
.share rect { stroke: var(--ground); stroke-width: 1.5; }
.part > table.rows { margin: 1.25rem 0; }
.part > .rows :is(th, td):first-child { width: 55%; }
#clusters ~ .rows :is(th, td):first-child { width: auto; }

details { border-bottom: 1px solid var(--line); }
summary { padding: 0.5rem 0; cursor: pointer; }
summary::marker { color: var(--quiet); }
summary:hover { background: var(--panel); }
details[open] { padding-bottom: 1rem; }
.holding > :not(summary) { margin-left: 1.1rem; width: auto; }
.holding > table { width: calc(100% - 1.1rem); margin-top: 0.25rem; table-layout: fixed; }
.holding th:first-child { width: 50%; }
.holding th:last-child { width: 8rem; }
.held { display: flex; flex-wrap: wrap; gap: 0 1.25rem; }
.held { list-style: none; }
.settings > div, .fields > div { display: grid; grid-template-columns: 14rem minmax(0, 1fr); gap: 1rem; padding: 0.25rem 0; }
.fields { margin-left: 1.1rem; }
.fields > div { grid-template-columns: 6rem minmax(0, 1fr); font-size: 0.875rem; }
.settings dt, .fields dt { color: var(--quiet); }
.settings { margin-top: 0.4rem; }
.key { padding: 0.5rem 0; }

@media screen and (max-width: 52rem) {
  body { padding: 1.25rem 1rem 2rem; }
  h1 { font-size: 1.5rem; }
  .facts { grid-template-columns: minmax(0, 1fr); gap: 0.5rem; }
  .facts > div { display: grid; grid-template-columns: 5.5rem minmax(0, 1fr); }
  .facts dt { line-height: 1.75; }
  .axis tr { grid-template-columns: repeat(3, auto); justify-content: start; }
  .axis thead th:not(.scale) { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .axis :is(.scale, .bar, tbody th) { grid-column: 1 / -1; }
  .axis tbody th { padding: 0.5rem 0 0; }
  .axis tbody td { padding: 0 0.75rem 0 0; font-size: 0.8125rem; }
  .axis tbody td.bar { padding: 0; }
  .axis td[data-label='From']::after { content: ' to'; color: var(--quiet); }
  .axis td[data-label='From'] { padding-right: 0.35rem; }
  .axis td.bar { min-height: 1.75rem; }
  .rows, .rows :is(caption, thead, tbody, tr, th, td) { display: block; }
  .rows thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .rows tr { padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
  .rows :is(th, td), .part > .rows :is(th, td):first-child, .holding th:is(:first-child, :last-child) { width: auto; padding: 0; border: 0; text-align: left; white-space: normal; }
  .rows td { display: grid; grid-template-columns: 8rem minmax(0, 1fr); }
  .rows td::before { content: attr(data-label); color: var(--quiet); font-size: 0.875rem; }
  .settings > div { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .counts .count { margin: 0 0.75rem 0 0; }
  .holding > :not(summary), .fields { margin-left: 0; }
  .holding > table { width: 100%; }
}

@media print {
  :root {
    --ground: #fff; --panel: #fff; --text: #000; --quiet: #444; --line: #ccc; --strong-line: #888; --link: #000;
    --error: #a01a12; --warning: #6e4500; --well: #155232; --info: #304668; --failed: #4a3a78; --bar: #5f7a9c; --passed: #cbd3de;
  }
  @page { margin: 15mm; }
  :root { font-size: 12px; }
  body { padding: 0; max-width: none; font-size: 1rem; }
  .axis tr { grid-template-columns: minmax(0, 13.5rem) 7rem 7rem 9rem minmax(0, 1fr); }
  .facts { grid-template-columns: repeat(4, 1fr); }
  footer { break-before: avoid; margin-top: 1.5rem; }
  .axis, .share { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  nav, .back, .skip { display: none; }
  a { text-decoration: none; }
  h1, h2, h3, summary, .kicker, .note { break-after: avoid; }
  tr, .findings > li, .facts, .node, .fields > div { break-inside: avoid; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
}
`;
