/** A table; in a narrow window, each row is a block of names and values. PURE. */
import { type Html, html } from './html.ts';

type Cell = Html | string | number;

/**
 * Roles are explicit: a table that is not displayed as one would otherwise not be one for a screen reader.
 * @param caption its name, for screen readers.
 * @param rows cells of each row; the first one names the row.
 */
export function table(caption: string, head: readonly string[], rows: readonly (readonly Cell[])[]): Html {
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table role="table">
<thead role="rowgroup"><tr role="row">${head.map((name) => html`<th scope="col" role="columnheader">${name}</th>`)}</tr></thead>
<tbody role="rowgroup">${rows.map((cells) => html`<tr role="row">${cells.map((cell, i) => cellOf(cell, i, head[i]))}</tr>\n`)}</tbody>
</table></div>`;
}

function cellOf(cell: Cell, i: number, name = ''): Html {
  return i === 0
    ? html`<th scope="row" role="rowheader">${cell}</th>`
    : html`<td role="cell" data-name="${name}">${cell}</td>`;
}
