import { printable } from '../text.ts';

const mark = Symbol('safe to stand in a page');

/** Text that is HTML already. Only `html` makes it, so that nothing else gets into a page unescaped. */
export interface Html {
  readonly [mark]: string;
}

export type Content = Html | string | number | undefined | readonly Content[];

/**
 * A piece of a page. What is put into it is escaped, in an element as in a quoted attribute, unless
 * it was made here, too; control and direction characters are shown as escapes.
 */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Html {
  return { [mark]: parts.map((part, index) => (index === 0 ? part : textOf(values[index - 1]) + part)).join('') };
}

/** A stranger's words: their direction of writing ends with them. */
export function foreign(text: string): Html {
  return html`<bdi>${text}</bdi>`;
}

/** Lines of a text, which stay such where a page keeps them. */
export function lines(texts: readonly string[]): Html {
  return html`${texts.map((text, index) => (index === 0 ? text : html`\n${text}`))}`;
}

/** The whole page as text. */
export function print(page: Html): string {
  return page[mark];
}

function textOf(value: Content): string {
  if (value === undefined) return '';
  if (typeof value === 'string' || typeof value === 'number') return escapeText(String(value));
  return isList(value) ? value.map(textOf).join('') : value[mark];
}

function isList(value: Html | readonly Content[]): value is readonly Content[] {
  return Array.isArray(value);
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escapeText(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
