import { type Content, type Html, html } from './escape.ts';

export interface Column {
  readonly title: string;
  /** Figures and dates stand to the right, one below the other. */
  readonly numeric?: boolean;
}

/**
 * A table whose rows become blocks on a narrow screen. That takes from browsers what it is, so the
 * roles say it. The first cell heads its row.
 */
export function table(caption: Content, columns: readonly Column[], rows: readonly (readonly Content[])[]): Html {
  const kind = (index: number) => (columns[index]?.numeric ? 'numeric' : '');
  return html`<table role="table" class="rows">
<caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map(({ title }, index) => html`<th role="columnheader" scope="col" class="${kind(index)}">${title}</th>`)}</tr></thead>
<tbody role="rowgroup">
${rows.map(
  ([head, ...cells]) => html`<tr role="row"><th role="rowheader" scope="row">${head}</th>${cells.map(
    (cell, index) =>
      html`<td role="cell" class="${kind(index + 1)}" data-label="${columns[index + 1]?.title}"><span>${cell}</span></td>`,
  )}</tr>
`,
)}</tbody>
</table>`;
}
