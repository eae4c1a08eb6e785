/** The possible actions on a job, as forms. PURE. */
import type { JobRecord } from '../../jobs/ledger/job.ts';
import { type JobEvent, nextState } from '../../jobs/ledger/state.ts';
import { unsettableNames } from '../../jobs/rules/given.ts';
import type { Visitor } from '../access/visitor.ts';
import { type Html, html } from '../pages/html.ts';
import { formTokenField } from '../pages/layout.ts';
import { settingLabels } from '../pages/setting-names.ts';
import { formLabels } from './fields.ts';
import { jobPath } from './paths.ts';

const simple = [
  ['pause', 'Pause', 'nothing more is sent for now'],
  ['resume', 'Resume', 'it continues'],
  ['stop', 'Stop', 'it ends when what is in flight has ended, and can be resumed'],
] as const satisfies readonly (readonly [JobEvent, string, string])[];

export function reasonField(id: string): Html {
  return html`<label for="${id}">Reason, for the log of changes</label>
<input id="${id}" name="reason" required maxlength="500" autocomplete="off">`;
}

/** A form field, empty unless a value is given. */
function field(form: string, name: string, label: string, hint: string, value = ''): Html {
  return html`<div><label for="${form}-${name}">${label}</label>
<input id="${form}-${name}" name="${name}" value="${value}" autocomplete="off" aria-describedby="${form}-${name}-hint">
<small id="${form}-${name}-hint">${hint}</small></div>`;
}

const fields: readonly (readonly [name: keyof typeof settingLabels, hint: string])[] = [
  ['canary', 'rows sent first, as in 20 or 1%; the rest only if none of them fails'],
  ['stages', 'as in 1%,10%,50%,100% or 500,+500'],
  ['ramp', 'as in 50:x2/200: 50 rows in flight at first, twice as many after every 200 good ends'],
  ['soak', 'wait between stages, as in 10m'],
  [
    'verifyWithin',
    'how long the job waits for the devices of a stage before it is paused, as in 2h; default: a day',
  ],
  ['abortWhen', 'as in failed>2%/200; several separated by semicolons'],
  ['window', 'maximum rows in flight'],
  ['rate', 'maximum rows sent per second'],
  ['priority', '1 (lowest) to 9'],
  ['startAt', 'as in 2026-12-01T01:00Z or 8h'],
  ['between', 'times of the day, as in 01:00-05:00; needs a time zone'],
  ['tz', 'as in Europe/Berlin'],
  ['deadline', 'nothing is sent from this time on'],
];

const switches = ['confirmEach', 'verifyEach', 'undoOnAbort'] as const;

/** The fields that say how a job is sent. @param form distinguishes them from fields of other forms on the page. */
export function settingFields(form: string): Html {
  return html`<div class="fields">${fields.map(([name, hint]) => html`${field(form, name, settingLabels[name], hint)}\n`)}</div>
${switches.map((name) => html`<label class="check"><input type="checkbox" name="${name}" value="yes"> ${settingLabels[name]}</label>\n`)}`;
}

/** States in which rows may be in flight and the job may continue. */
const reconcilable: ReadonlySet<string> = new Set(['running', 'paused', 'stopping', 'stopped', 'aborted']);

type Plan = NonNullable<JobRecord['plan']>;

/** @param now epoch milliseconds: the key that detects a repeated submission. */
export function jobForms(
  jobId: string,
  { state, settings, complete }: Plan,
  visitor: Visitor,
  now: number,
): Html {
  if (state.name === 'elsewhere')
    return html`<section class="actions" data-as-of="${now}"><h2>What to do</h2>
<p>Another ledger owns this job. <code>jobs import FILE --take-over</code> makes it this one's.</p></section>`;
  const token = formTokenField(visitor);
  const can = simple.filter(([event]) => nextState(state, event) !== undefined);
  const cancel = nextState(state, 'cancel') !== undefined;
  const retry = complete && nextState(state, 'retry') !== undefined;
  const reconcile = complete && reconcilable.has(state.name);
  const set = unsettableNames.filter((name) => settings[name] !== undefined);
  const action = (what: string, inside: Html): Html =>
    html`<form method="post" action="${jobPath(jobId, `/${what}`)}" class="wide">${token}\n${inside}</form>`;
  return html`<section class="actions" data-as-of="${now}"><h2>What to do</h2>
${
  can.length > 0 &&
  html`<form method="post" action="${jobPath(jobId, `/${can[0]?.[0] ?? ''}`)}" class="wide">${token}
${reasonField('steer-reason')}
<p class="buttons">${can.map(([event, name, what]) => html`<button type="submit" formaction="${jobPath(jobId, `/${event}`)}" title="${what}">${name}</button>\n`)}</p>
</form>`
}
${
  state.name !== 'cancelled' &&
  state.name !== 'done' &&
  html`<details><summary>Set how it is sent</summary>${action(
    'set',
    html`<p>Empty fields change nothing.</p>${settingFields('set')}
${set.length > 0 && html`<fieldset><legend>${formLabels.unset}</legend>${set.map((name) => html`<label class="check"><input type="checkbox" name="unset" value="${name}"> ${settingLabels[name]}</label>\n`)}</fieldset>`}
${reasonField('set-reason')}<button type="submit">Set</button>`,
  )}</details>`
}
${retry && html`<details><summary>Retry failed rows</summary>${action('retry', html`${reasonField('retry-reason')}<button type="submit">Retry what failed</button>`)}</details>`}
${reconcile && html`<details><summary>Reconcile: outcomes were lost</summary>${action('reconcile', html`<p>Reads the task of every row that was sent and has not ended. If the task has the values of the row, the row counts as applied; if not, it is sent again. Afterwards the job is resumed. Stop the job first: it comes to rest a minute after its last end.</p>${reasonField('reconcile-reason')}<button type="submit">Reconcile</button>`)}</details>`}
<details><summary>Verify: what became of the devices</summary>${action('verify', html`<p>Reads the task of every row that was applied.</p>${reasonField('verify-reason')}<button type="submit">Verify</button>`)}</details>
<details><summary>Undo</summary>${action('undo', html`<p>Makes a plan of the values that tasks had before. Nothing is sent before that plan is applied.</p>${reasonField('undo-reason')}<button type="submit">Plan the undo</button>`)}</details>
${
  cancel &&
  html`<details><summary>Cancel for good</summary>${action(
    'cancel',
    html`<p>Rows that were not sent will never be sent. Nothing is undone.</p>
<label for="cancel-name">Type the job's name: ${jobId}</label>
<input id="cancel-name" name="name" required autocomplete="off">
${reasonField('cancel-reason')}<button type="submit" class="danger">Cancel the job</button>`,
  )}</details>`
}</section>`;
}
