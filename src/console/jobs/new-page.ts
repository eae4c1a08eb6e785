/** The page for a new job. PURE. */
import type { Visitor } from '../access/visitor.ts';
import { type Html, html } from '../pages/html.ts';
import { formTokenField, type Page } from '../pages/layout.ts';
import { roundBytes } from './bytes.ts';
import { formLabels } from './fields.ts';
import { reasonField } from './job-forms.ts';
import { NEW_PATH } from './paths.ts';

export function newPage(visitor: Visitor, mostBytes: number): Page {
  const token = formTokenField(visitor);
  return {
    title: 'New job',
    assets: ['jobs.css'],
    body: html`<h1>New job</h1>
<p>A job begins with a plan: what it will change, row by row. Nothing is sent before the plan is applied.</p>
<section><h2>From a file</h2>
<form method="post" action="${NEW_PATH}" enctype="multipart/form-data" class="wide" data-most-bytes="${mostBytes}">${token}
${common('file')}
${reasonField('file-reason')}
<label for="file">CSV or JSON, at most ${roundBytes(mostBytes)}</label>
<input id="file" name="file" type="file" required accept=".csv,.tsv,.txt,.json,.jsonl,.ndjson,text/csv,application/json">
<button type="submit">Make the plan</button>
</form></section>
<section><h2>From live tasks</h2>
<form method="post" action="${NEW_PATH}/live" class="wide">${token}
<label for="where-status">${formLabels.whereStatus}</label>
<input id="where-status" name="whereStatus" autocomplete="off" placeholder="SCHEDULED">
<label for="where-configuration">${formLabels.whereConfiguration}</label>
<input id="where-configuration" name="whereConfiguration" autocomplete="off">
${common('live')}
${reasonField('live-reason')}
<button type="submit">Make the plan</button>
</form></section>`,
  };
}

function common(form: string): Html {
  return html`<label for="${form}-job">${formLabels.jobId}</label>
<input id="${form}-job" name="jobId" autocomplete="off" maxlength="128" pattern="(?!-)[0-9A-Za-z_.:\\-]*" aria-describedby="${form}-job-hint">
<small id="${form}-job-hint">letters, digits and _ . : - , not - first; empty: the date and six characters</small>
<label for="${form}-configuration">${formLabels.setConfiguration}</label>
<input id="${form}-configuration" name="setConfiguration" autocomplete="off" maxlength="64">
<label for="${form}-description">${formLabels.setDescription}</label>
<input id="${form}-description" name="setDescription" autocomplete="off" maxlength="256">
<label class="check"><input type="checkbox" name="refresh" value="yes" checked> Read every task first: leaves out tasks that are already as wanted, and allows an undo</label>`;
}
