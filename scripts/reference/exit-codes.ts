/** docs/reference/exit-codes.md */
import { exitCodes } from '../../src/errors.ts';
import { code, type Page, table } from './page.ts';

const meanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  done: 'Done. `check`: no errors, warnings allowed. `worker`: drained after SIGTERM or SIGINT.',
  failed:
    'Failed: the message on stderr says why, even if the output could not be written. `check`: at least one error.',
  misuse: 'A flag, a file or a setting is wrong. Nothing was done.',
  someRefused:
    'Done, but some rows were refused, failed or cannot be undone: the summary says which and why.',
  stoppedEarly:
    'Stopped before the end: by `--canary`, by `--abort-when`, or because somebody used `jobs stop` or `jobs cancel`. What was sent stays sent.',
  interrupted:
    'Interrupted by Ctrl-C (SIGINT). What was done until then is kept, and the message says how to continue.',
  terminated:
    'A second SIGTERM ended the process at once. Held messages become visible when their leases end.',
};

export const exitCodesPage: Page = {
  name: 'exit-codes.md',
  about: 'Exit codes of every command',
  text: () => {
    const names = Object.keys(exitCodes) as (keyof typeof exitCodes)[];
    return `# Exit codes

Every command ends with one of these. Results go to stdout, everything else to stderr.

${table(
  ['code', 'meaning'],
  names.map((name) => [code(String(exitCodes[name])), meanings[name]]),
)}

An exit code that is not in this table comes from Node.js or the shell (137 is a SIGKILL, for example) and is a bug
or a kill from outside.
`;
  },
};
