/** The page *Task*: what happened to one task, and what it holds now. PURE. */
import { instant } from '../../text/times.ts';
import {
  endText,
  sourceRow,
  stepText,
  type TraceRow,
  taskHead,
  taskRows,
  updateRows,
  updateTime,
} from '../../trace/rows.ts';
import type { SourceReport, Trace } from '../../trace/trace.ts';
import type { KnownUpdate } from '../../trace/updates.ts';
import { type Html, html } from '../pages/html.ts';
import type { Page } from '../pages/layout.ts';

/** Maximum number of updates on the page: the latest. */
const MOST_UPDATES = 100;
/** Maximum number of steps of an update: the latest. */
const MOST_STEPS = 50;

/** @param trace undefined: nothing was requested yet. */
export function taskPage(asked: string, fault: string | undefined, trace: Trace | undefined): Page {
  return {
    title: trace === undefined ? 'Task' : `Task ${trace.identifier}`,
    body: html`<h1>Task${trace !== undefined && html` ${trace.identifier}`}</h1>
<form method="get" action="/task" class="narrow" role="search">
<label for="identifier">Identifier</label>
<input id="identifier" name="identifier" value="${asked}" maxlength="200" required${fault !== undefined && html` aria-invalid="true" aria-describedby="fault"`}>
<button type="submit">What happened to it?</button>
</form>
${fault !== undefined && html`<p class="fault" role="alert" id="fault">${fault}</p>`}
${trace !== undefined && tracePart(trace)}`,
  };
}

function tracePart(trace: Trace): Html {
  const { updates, sources } = trace;
  const shown = updates.slice(-MOST_UPDATES).toReversed();
  return html`<h2>${taskHead(trace)}</h2>
${figures(taskRows(trace))}
<h2>Updates, newest first</h2>
${updates.length === 0 && html`<p>No update of this task is known.</p>`}
${updates.length > shown.length && html`<p>The latest ${shown.length} of ${updates.length}.</p>`}
${shown.map(updatePart)}
<h2>What was asked</h2>
<ul>${sources.map((source) => html`<li class="${isMissing(source) ? 'away' : 'known'}">${sourceRow(source).join(': ')}</li>\n`)}</ul>`;
}

function isMissing({ state }: SourceReport): boolean {
  return state === 'failed' || state === 'in-part';
}

function updatePart(update: KnownUpdate): Html {
  const steps = update.steps.slice(-MOST_STEPS);
  return html`<article><h3>${updateTime(update)} ${endText(update)}</h3>
${figures(updateRows(update))}
${steps.length > 0 && html`<ol>${steps.map((step) => html`<li>${instant(step.at)} UTC: ${stepText(step)}</li>\n`)}</ol>`}</article>\n`;
}

function figures(rows: readonly TraceRow[]): Html {
  return html`<dl class="figures">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>`;
}
