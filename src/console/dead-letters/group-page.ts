/** The page of one cause: its letters, and the possible actions. PURE. */
import type { Letter } from '../../dead-letters/letters/letter.ts';
import { causeText, exampleText } from '../../dead-letters/view/list.ts';
import { counted, number } from '../../text/numbers.ts';
import { instant } from '../../text/times.ts';
import { mayChange, type Visitor } from '../access/visitor.ts';
import { type Html, html } from '../pages/html.ts';
import { formTokenField, type Page } from '../pages/layout.ts';
import { table } from '../pages/table.ts';
import { askedLabels } from './asked.ts';
import type { LookedGroup } from './look.ts';
import { groupPath, LETTERS_PATH, letterPath, passText } from './overview-page.ts';

/** Letters on one page. */
const PAGE_LETTERS = 100;

/** @param page from 1. */
export function groupPage(
  { group: found, letters: own, look: { pass, at } }: LookedGroup,
  page: number,
  visitor: Visitor,
): Page {
  const { group } = found;
  const pages = Math.max(1, Math.ceil(own.length / PAGE_LETTERS));
  const shown = own.slice((page - 1) * PAGE_LETTERS, page * PAGE_LETTERS);
  const title = causeText(found);
  const operator = mayChange(visitor);
  const list = lettersTable(shown, operator);
  return {
    title,
    body: html`<p><a href="${LETTERS_PATH}">Dead letters</a></p>
<h1>${title}</h1>
<p class="when">${counted(found.count, 'letter')}, first ${instant(found.first)}, last ${instant(found.last)} UTC; as of ${instant(at)} UTC. ${passText(pass)}</p>
<p>Example: ${exampleText(found.example)}</p>
${
  operator
    ? html`<form method="post" action="${LETTERS_PATH}/plan">${formTokenField(visitor)}<input type="hidden" name="group" value="${group}">
${list}${fields()}</form>`
    : list
}
${pages > 1 && pager(group, page, pages)}
${own.length < found.count && html`<p>The list has the first ${number(own.length)} of ${number(found.count)} letters.</p>`}`,
  };
}

function lettersTable(letters: readonly Letter[], tick: boolean): Html {
  return table(
    'Letters of this cause',
    ['Identifier', 'Arrived (UTC)', 'Job', 'Redriven before', ...(tick ? ['Only these'] : [])],
    letters.map(({ message: { messageId }, identifier, arrivedAt, jobId, redriveCount }) => [
      html`<a href="${letterPath(messageId)}">${identifier ?? messageId}</a>`,
      instant(arrivedAt),
      jobId ?? '',
      number(redriveCount),
      ...(tick
        ? [
            html`<input type="checkbox" name="id" value="${messageId}" aria-label="Only letter ${identifier ?? ''} ${messageId}">`,
          ]
        : []),
    ]),
  );
}

function fields(): Html {
  return html`<fieldset><legend>What to do with all of them, or with those ticked</legend>
<p><label><input type="radio" name="action" value="redrive" checked> Put back on the update queue</label>
<label><input type="radio" name="action" value="purge"> Delete for good</label></p>
<div class="fields">
<div><label for="limit">${askedLabels.limit}</label><input id="limit" name="limit" inputmode="numeric" placeholder="all"></div>
<div><label for="rate">${askedLabels.rate}</label><input id="rate" name="rate" inputmode="decimal" placeholder="as fast as possible"></div>
<div><label for="canary">${askedLabels.canary}</label><input id="canary" name="canary" inputmode="numeric" placeholder="no canaries" aria-describedby="canary-note"></div>
</div>
<p id="canary-note" class="when">This many are put back first, and the others only if none of these comes back.</p>
<p><label><input type="checkbox" name="force" value="yes"> Also those that were put back too often, rejected again, are foreign or invalid</label></p>
<label for="reason">Reason, for the log of changes</label>
<input id="reason" name="reason" maxlength="500" required>
<p><button type="submit">Show what it would do</button></p>
</fieldset>`;
}

function pager(group: string, page: number, pages: number): Html {
  const link = (to: number, name: string): Html => html`<a href="${groupPath(group)}?page=${to}">${name}</a>`;
  return html`<nav aria-label="Pages of letters"><p>${page > 1 && link(page - 1, 'previous')} page ${number(page)} of ${number(pages)} ${page < pages && link(page + 1, 'next')}</p></nav>`;
}
