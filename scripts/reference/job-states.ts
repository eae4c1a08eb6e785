/** docs/reference/job-states.md */
import { jobEvents, jobStates, transitions } from '../../src/jobs/ledger/state.ts';
import { code, type Page, table } from './page.ts';

const meanings: Readonly<Record<(typeof jobStates)[number], string>> = {
  planned: 'its rows are being entered in the ledger',
  scheduled: 'released but not due: its start time has not come, or its daily window is closed',
  running:
    'its rows may be sent. Whether a process is sending them is shown separately: `sending` or `not sending`',
  paused: 'nothing is sent. A process that was sending it stays, and follows the rows in flight',
  stopping:
    'nothing more is sent; the job waits for the rows in flight. Then it is stopped, aborted or cancelled',
  stopped: 'by a person, an interrupt, its deadline or a failure',
  aborted: 'by one of its rules',
  done: 'every row has ended, perhaps some with a failure',
  cancelled: 'for good: rows that were not sent have ended as `not-sent`',
  elsewhere:
    "another ledger owns it: it was moved there by `jobs export` and `jobs import`, or this ledger only has a copy. Here it is read-only; `jobs import FILE --take-over` makes it this ledger's again",
};

export const jobStatesPage: Page = {
  name: 'job-states.md',
  about: 'States of a bulk job, and what leads from one to another',
  text: () => `# States of a bulk job

The ledger keeps the state of each job, since when it applies, who set it and why. \`jobs status\` shows it. The sender of the
job reads it twice a second.

${table(
  ['state', 'meaning'],
  jobStates.map((name) => [code(name), meanings[name]]),
)}

These are the only changes of state:

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

A job that is being cancelled becomes ${code('cancelled')}, whatever else happens to it. A cancelled job that is exported is
\`cancelled\` in both ledgers: none of its rows can be sent.

## A job that is elsewhere

Only one ledger sends a job. So import an export in one ledger only: two ledgers that are given the same file cannot know of each other.

- After \`jobs export\`, the job is \`elsewhere\` here. Here nothing controls, sends, retries or undoes it, and \`enqueue --job\` adds no
  file to it. Outcomes of its rows stay on their queue, however long, until the ledger that owns it takes them.
- After \`jobs import\` in another ledger, that ledger owns the job, in the state that it was in. Outcomes of its rows that it had
  kept before then end those rows.
- The same two commands move it back. Then what the other ledger knows replaces what is here.

Special cases:

- **Back without having been moved.** \`jobs import FILE --take-over\` with the file of the export takes the job back. Do this only if no other
  ledger has imported the file, or if that ledger has been given up: this ledger cannot see whether one has.
- **The file is lost**, or \`jobs export\` was killed before it was written. Run \`jobs export\` again: it writes the file again.
- **One at a time.** A job is not imported while another process exports, prunes or sends it in that ledger, and not exported while it is imported.
- **A copy**, as a backup: \`jobs export --copy\`. The job continues here. An imported copy is \`elsewhere\`: it can be looked at and reported.
  Only \`--take-over\` makes it a job that can be sent, for the day on which its own ledger is lost.
- **A file older** than what the ledger knows is refused, also a copy: a job that was moved since would be sent twice.
`,
};
