import { foreign, type Html, html } from './escape.ts';
import { type SiteView, section } from './site-view.ts';

/** The settings of mutual TLS, those that nobody set included. */
export function renderSettings(view: SiteView): Html | undefined {
  const { configuration } = view.site;
  if (!configuration) return undefined;
  const { path, exists, settings, tokenValidators } = configuration;
  const rows = settings.map(
    ({ name, value, source }) =>
      html`<div><dt>${name}</dt><dd>${foreign(String(value ?? 'not set'))}${source === 'default' ? html` <span class="quiet">default</span>` : undefined}</dd></div>`,
  );
  const validators = tokenValidators.map(
    ({ name, source }) =>
      html`<div><dt>tokenValidators</dt><dd>${foreign(name)} ${foreign(source ?? '(no source)')}</dd></div>`,
  );
  return section(
    view,
    'settings',
    'Settings',
    html`<p class="note">${foreign(path)}${exists ? '' : ', which is not there: these are the defaults'}</p>
<dl class="settings">${rows}${validators}</dl>`,
  );
}
