/** The page of one letter: its record and its body. PURE. */
import { causeOf } from '../../dead-letters/letters/causes.ts';
import type { Letter } from '../../dead-letters/letters/letter.ts';
import { bodyText, letterRows } from '../../dead-letters/view/letter.ts';
import { causeText } from '../../dead-letters/view/list.ts';
import { html, lines } from '../pages/html.ts';
import type { Page } from '../pages/layout.ts';
import { groupPath } from './overview-page.ts';

export function letterPage(letter: Letter): Page {
  const name = letter.identifier ?? letter.message.messageId;
  return {
    title: `Letter of ${name}`,
    body: html`<p><a href="${groupPath(causeOf(letter).group)}">${causeText(letter)}</a></p>
<h1>Letter of ${name}</h1>
<dl class="figures">${letterRows(letter).map(([row, value]) => html`<div><dt>${row}</dt><dd>${value}</dd></div>\n`)}</dl>
${letter.identifier !== undefined && html`<p><a href="/task?identifier=${encodeURIComponent(letter.identifier)}">What happened to this task</a></p>`}
<h2>Body</h2>
<pre tabindex="0">${lines(bodyText(letter.message.body))}</pre>`,
  };
}
