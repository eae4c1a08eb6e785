/** The page *Log of changes*: who changed what, when and why, from pages and commands alike. PURE. */
import { number } from '../../text/numbers.ts';
import { instant } from '../../text/times.ts';
import { type Html, html } from '../pages/html.ts';
import type { Page } from '../pages/layout.ts';
import { table } from '../pages/table.ts';
import type { NewestChanges, ShownChange } from './newest.ts';

/** Maximum length of a detail, in characters. */
const MOST_DETAIL = 400;

export function changesPage({ shown, read, away }: NewestChanges): Page {
  return {
    title: 'Log of changes',
    body: html`<h1>Log of changes</h1>
${away.map(({ name, why }) => html`<p class="away">Changes of ${name} are missing here: ${why}.</p>\n`)}
${shown.length === 0 ? html`<p>Nothing has been changed yet, as far as this console knows.</p>` : changesTable(shown)}
${read > shown.length && html`<p>The latest ${number(shown.length)} of ${number(read)} that were read.</p>`}`,
  };
}

function changesTable(shown: readonly ShownChange[]): Html {
  return table(
    'Changes, newest first',
    ['When (UTC)', 'Who', 'What', 'Change', 'Why'],
    shown.map(({ at, who, what, link, why, detail }) => [
      instant(at),
      who,
      link === undefined ? what : html`<a href="${link}">${what}</a>`,
      detail.length > MOST_DETAIL ? `${detail.slice(0, MOST_DETAIL)}…` : detail,
      why,
    ]),
  );
}
