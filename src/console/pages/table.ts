/** A table that scrolls by itself where the window is narrow. PURE. */
import { type Html, html } from './html.ts';

type Cell = Html | string | number;

/**
 * @param caption its name, for those who hear it.
 * @param rows cells of each row; the first one names the row.
 */
export function table(caption: string, head: readonly string[], rows: readonly (readonly Cell[])[]): Html {
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map((cells) => html`<tr>${cells.map((cell, i) => (i === 0 ? html`<th scope="row">${cell}</th>` : html`<td>${cell}</td>`))}</tr>\n`)}</tbody>
</table></div>`;
}
