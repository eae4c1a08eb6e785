/** docs/reference/job-states.md */
import { jobEvents, jobStates, transitions } from '../../src/jobs/ledger/state.ts';
import { code, type Page, table } from './page.ts';

const meanings: Readonly<Record<(typeof jobStates)[number], string>> = {
  planned: 'its rows are being entered in the ledger',
  scheduled: 'released, and not due: its time has not come, or its daily window is closed',
  running:
    'its rows may be sent. Whether a process is there to send them is shown apart: `sending`, or `not sending`',
  paused: 'nothing is sent. A process that sends it stays, and follows what is in flight',
  stopping: 'nothing more is sent; what is in flight is waited for. Then it is stopped, aborted or cancelled',
  stopped: 'by a person, an interrupt, its deadline or a failure',
  aborted: 'by one of its rules',
  done: 'every row has ended, some of them perhaps with a failure',
  cancelled: 'for good: rows that were not sent have ended as `not-sent`',
};

export const jobStatesPage: Page = {
  name: 'job-states.md',
  about: 'States of a bulk job, and what leads from one to another',
  text: () => `# States of a bulk job

The ledger keeps the state of each job, since when, who changed it and why. \`jobs status\` shows it. Whoever sends the job
looks at it twice a second.

${table(
  ['state', 'meaning'],
  jobStates.map((name) => [code(name), meanings[name]]),
)}

These changes there are, and no others:

${table(
  ['event', 'what it is', 'from', 'to'],
  jobEvents.map((event) => {
    const { text, from, to, towards } = transitions[event];
    const reached = to === 'towards' ? 'what it was stopping towards' : code(to);
    return [
      code(event),
      text,
      from.map(code).join(', '),
      towards === undefined ? reached : `${reached}, towards ${code(towards)}`,
    ];
  }),
)}

A job that is being cancelled goes on to ${code('cancelled')}, whatever else happens to it.
`,
};
