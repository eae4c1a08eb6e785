/** The page *Log of changes*: who, when, what and why, from pages and commands alike. PURE. */
import { number } from '../../text/numbers.ts';
import { instant } from '../../text/times.ts';
import { type Html, html } from '../pages/html.ts';
import type { Page } from '../pages/layout.ts';
import { table } from '../pages/table.ts';

/** One change; texts are not escaped. */
interface ShownChange {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly who: string;
  readonly what: string;
  /** Where to look at what was changed. */
  readonly link?: string;
  readonly why: string;
  readonly detail: string;
}

/** What one source of changes says, or why it says nothing. */
export type ChangesAnswer = readonly ShownChange[] | { readonly away: string };

/** Characters of a detail. */
const MOST_DETAIL = 400;

export function changesPage(answers: Readonly<Record<string, ChangesAnswer>>, most: number): Page {
  const changes = Object.values(answers).flatMap((answer) => ('away' in answer ? [] : answer));
  const shown = changes.toSorted((a, b) => b.at - a.at).slice(0, most);
  const away = Object.entries(answers).flatMap(([name, answer]) =>
    'away' in answer ? [{ name, why: answer.away }] : [],
  );
  return {
    title: 'Log of changes',
    body: html`<h1>Log of changes</h1>
${away.map(({ name, why }) => html`<p class="away">Changes of ${name} are missing here: ${why}.</p>\n`)}
${shown.length === 0 ? html`<p>Nothing was changed yet, as far as is known here.</p>` : changesTable(shown)}
${changes.length > shown.length && html`<p>The latest ${number(shown.length)} of ${number(changes.length)} that were read.</p>`}`,
  };
}

function changesTable(shown: readonly ShownChange[]): Html {
  return table(
    'Changes, the last first',
    ['When (UTC)', 'Who', 'What', 'Why', 'Details'],
    shown.map(({ at, who, what, link, why, detail }) => [
      instant(at),
      who,
      link === undefined ? what : html`<a href="${link}">${what}</a>`,
      why,
      detail.length > MOST_DETAIL ? `${detail.slice(0, MOST_DETAIL)}…` : detail,
    ]),
  );
}
