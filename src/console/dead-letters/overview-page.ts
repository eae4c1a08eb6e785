/** The page *Dead letters*: letters by cause, and the work in progress. PURE. */

import type { PassResult } from '../../dead-letters/pass/pass.ts';
import { causeText, exampleText } from '../../dead-letters/view/list.ts';
import { counted, number } from '../../text/numbers.ts';
import { instant, roughDuration } from '../../text/times.ts';
import { type Html, html } from '../pages/html.ts';
import type { Page } from '../pages/layout.ts';
import { livePart } from '../pages/live-part.ts';
import { table } from '../pages/table.ts';
import { awayPart, stateText } from './change-page.ts';
import type { ChangeRun, Deed } from './change-run.ts';
import type { Desk } from './desk.ts';
import { awayOf } from './doing.ts';
import type { Look } from './look.ts';

export const LETTERS_PATH = '/dead-letters';
export const LETTERS_STREAM = '/live/dead-letters';

export function overviewPage(desk: Desk, now: number): Page {
  return {
    title: 'Dead letters',
    live: true,
    body: html`<h1>Dead letters</h1>
${livePart(LETTERS_STREAM, overviewPart(desk, now))}`,
  };
}

export function overviewPart({ doing, look, lookFault, changes }: Desk, now: number): Html {
  const away = awayOf(doing);
  return html`${doing.what === 'looking' && html`<p class="busy">Looking at the queue: ${counted(doing.seen, 'letter')} seen so far. Each stays where it is.</p>`}
${away !== undefined && awayPart(away)}
${doing.what === 'changing' && html`<p class="busy"><a href="${changePath(doing.change)}">A ${doing.change.facts.asked.action} of ${ownerOf(doing.change).by}</a> is under way: ${stateText(doing.change)}</p>`}
${lookFault !== undefined && html`<p class="away">It has not been possible to look at the queue since ${instant(lookFault.since)} UTC, last tried at ${instant(lookFault.at)} UTC: ${lookFault.why}. ${look !== undefined && 'You see the look before that.'}</p>`}
${look === undefined ? html`<p>Nothing is known yet.</p>` : groupsPart(look, now)}
<p><a class="button" href="${LETTERS_PATH}?again=1">Look again</a></p>
${changes.length > 0 && html`<h2>Changes from here</h2>${changesTable(changes)}`}`;
}

function groupsPart({ groups, pass, at }: Look, now: number): Html {
  const all = groups.all();
  return html`<p class="when">As of ${instant(at)} UTC, ${roughDuration((now - at) / 1_000)} ago. ${passText(pass)}</p>
${
  all.length === 0
    ? html`<p>There are no dead letters.</p>`
    : table(
        'Dead letters by cause',
        ['Cause', 'Letters', 'First (UTC)', 'Last (UTC)', 'Redriven before', 'Example'],
        all.map(({ group, count, first, last, redriven, example, ...cause }) => [
          html`<a href="${groupPath(group)}">${causeText(cause)}</a>`,
          number(count),
          instant(first),
          instant(last),
          number(redriven),
          html`<a href="${letterPath(example.messageId)}">${exampleText(example).slice(0, 300)}</a>`,
        ]),
      )
}
${groups.others > 0 && html`<p>And ${counted(groups.others, 'letter')} of further causes.</p>`}`;
}

/** How much of the queue was seen, and why there may be more. */
export function passText({ seen, about, end, heldByOthers = 0, fifo }: PassResult): string {
  const of = about === undefined ? '' : ` of about ${number(Math.max(about, seen))}`;
  return [
    `${counted(seen, 'letter')}${of} seen.`,
    ...(end === 'through' ? [] : ['There may be more.']),
    ...(heldByOthers > 0 ? [`About ${number(heldByOthers)} were held by someone else.`] : []),
    ...(fifo ? ['A FIFO queue shows one letter of a group at a time.'] : []),
  ].join(' ');
}

function changesTable(changes: readonly ChangeRun[]): Html {
  return table(
    'Changes of dead letters from this console',
    ['Begun (UTC)', 'What', 'State', 'Who', 'Why'],
    changes.map((change) => [
      html`<a href="${changePath(change)}">${instant(change.begunAt)}</a>`,
      change.facts.asked.action,
      stateText(change),
      ownerOf(change).by,
      ownerOf(change).reason,
    ]),
  );
}

/** Who approved it, or else who planned it. */
function ownerOf({ confirmed, facts }: ChangeRun): Deed {
  return confirmed ?? facts;
}

export function groupPath(group: string): string {
  return `${LETTERS_PATH}/groups/${group}`;
}

export function letterPath(messageId: string): string {
  return `${LETTERS_PATH}/letters/${encodeURIComponent(messageId)}`;
}

export function changePath({ facts }: ChangeRun): string {
  return `${LETTERS_PATH}/changes/${facts.id}`;
}
