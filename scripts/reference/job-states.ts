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
  elsewhere:
    "another ledger has it: it was moved there by `jobs export` and `jobs import`, or what is here is a copy. It is only looked at here; `jobs import FILE --take-over` makes it this ledger's again",
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
    const reached =
      to === 'towards' ? 'what it was stopping towards' : to === 'kept' ? 'what it was before' : code(to);
    return [
      code(event),
      text,
      from.map(code).join(', '),
      towards === undefined ? reached : `${reached}, towards ${code(towards)}`,
    ];
  }),
)}

A job that is being cancelled goes on to ${code('cancelled')}, whatever else happens to it. A cancelled job that is exported stays
\`cancelled\` here and is so there: nothing of it can be sent.

## A job that is elsewhere

Each job is sent by one ledger: a file is imported in one, as two that are given the same file cannot know of each other. \`jobs export\` hands it over: from then on it is \`elsewhere\` here, and nothing steers, sends, retries or
undoes it here, and no file of \`enqueue --job\` is added to it. Outcomes of its rows are left on their queue, however long, until the ledger that has it
takes them. \`jobs import\` in another ledger makes it that one's, in the state that it was in; outcomes of its rows that this ledger has kept before end
them then. Moved back by the same two commands, what is here is replaced by what is known there.

- **Back without having been moved.** \`jobs import FILE --take-over\` with the file of the export takes it back. Do so only where no other
  ledger has entered the file, or that ledger has been given up: nobody can see from here whether one has.
- **The file is lost**, or \`jobs export\` was killed before it was there. \`jobs export\` once more writes it again.
- **One at a time.** A job is not imported while another process exports, prunes or sends it in that ledger, and not exported while it is imported.
- **A copy**, as a backup: \`jobs export --copy\`. The job goes on here. Imported, a copy is \`elsewhere\`: it can be looked at and reported,
  and only \`--take-over\` makes it a job that can be sent, for the day on which its own ledger is lost.
- **An older file** than what the ledger knows is refused, of a copy, too: a job that was moved on since would be sent twice.
`,
};
