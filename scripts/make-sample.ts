/**
 * Prints examples/updates.csv: 1,200 rows, most of them valid, some invalid in each way that the contract names,
 * some that the simulated API answers with 404 (`unknown…`) or 403 (`denied…`). The same output every time.
 *
 *   npm run -s make-sample > examples/updates.csv
 */
import { createHash } from 'node:crypto';
import { stringify } from 'csv-stringify/sync';

const ROWS = 1_200;
const JOB = '2026-11-fleet-b7';
const COLUMNS = ['Identifier', 'Description', 'TaskConfigurationId', 'JobId', 'RequestId', 'IssuedAt'];

type Cells = string[];

/** Each is invalid in one way; the tests expect one refusal per row. */
const faulty: readonly Cells[] = [
  ['', 'Nightly roll-out 7', 'cfgB7', JOB, '', ''],
  ['dev-17', 'Nightly roll-out 7', 'cfgB7', JOB, '', ''],
  ['dev 17', 'Nightly roll-out 7', 'cfgB7', JOB, '', ''],
  ['=1+1', 'Nightly roll-out 7', 'cfgB7', JOB, '', ''],
  ['täsk17', 'Nightly roll-out 7', 'cfgB7', JOB, '', ''],
  ['x'.repeat(201), 'Nightly roll-out 7', 'cfgB7', JOB, '', ''],
  ['a1B2c3', 'Nightly roll-out 7!', 'cfgB7', JOB, '', ''],
  ['a1B2c3', 'Nightly, roll-out "7"', 'cfgB7', JOB, '', ''],
  ['a1B2c3', 'Nightly\nroll-out 7', 'cfgB7', JOB, '', ''],
  ['a1B2c3', 'd'.repeat(257), 'cfgB7', JOB, '', ''],
  ['a1B2c3', 'Nightly roll-out 7', 'cfg-B7', JOB, '', ''],
  ['a1B2c3', 'Nightly roll-out 7', 'c'.repeat(65), JOB, '', ''],
  ['a1B2c3', '', '', JOB, '', ''],
  ['a1B2c3', '', '', '', '', ''],
  ['a1B2c3', 'Nightly roll-out 7', 'cfgB7', 'fleet b7', '', ''],
  ['a1B2c3', 'Nightly roll-out 7', 'cfgB7', 'j'.repeat(129), '', ''],
  ['a1B2c3', 'Nightly roll-out 7', 'cfgB7', JOB, 'row/17', ''],
  ['a1B2c3', 'Nightly roll-out 7', 'cfgB7', JOB, 'r'.repeat(129), ''],
  ['a1B2c3', 'Nightly roll-out 7', 'cfgB7', JOB, '', '23.11.2026 07:00'],
  ['a1B2c3', 'Nightly roll-out 7', 'cfgB7', JOB, '', '2026-11-23T08:00:00+01:00'],
  ['a1B2c3', 'Nightly roll-out 7', 'cfgB7', JOB, '', '2026-11-23T07:00:00'],
  ['a1B2c3', 'Nightly roll-out 7', 'cfgB7', JOB, '', '2999-01-01T00:00:00Z'],
  ['a1B2c3', 'Nightly roll-out 7', 'cfgB7'],
  ['a1B2c3', 'Nightly roll-out 7', 'cfgB7', JOB, '', '', 'one too many'],
  ['a1B2c3'],
];

/** The valid row at `index`, from 0. */
function goodRow(index: number): Cells {
  // Five of them are repeated near the end, with another description.
  const again = index >= 1_100 && index < 1_105;
  const task = again ? index - 1_000 : index;
  const description = again
    ? 'Nightly roll-out 8'
    : (['Nightly roll-out 7', '', 'Fleet B7_canary'][index % 3] ?? '');
  const configuration = index % 5 === 4 && description !== '' ? '' : 'cfgB7';
  const job = index % 40 === 39 ? '' : JOB;
  const requestId = index % 10 === 0 ? `crm:${4_000 + index}` : '';
  const issuedAt = index % 25 === 3 ? '2026-01-15T07:00:00Z' : '';
  return [identifier(task), description, configuration, job, requestId, issuedAt];
}

function identifier(task: number): string {
  const name = createHash('sha256').update(`task ${task}`).digest('hex').slice(0, 16);
  if (task % 97 === 50) return `unknown${name}`;
  if (task % 190 === 60) return `denied${name}`;
  return name;
}

/** Spread over the file. */
function* rows(): Generator<Cells> {
  const distance = Math.floor(ROWS / faulty.length);
  let good = 0;
  for (let i = 0; i < ROWS; i++) {
    const bad = i % distance === 20 ? faulty[Math.floor(i / distance)] : undefined;
    yield bad ?? goodRow(good++);
  }
}

process.stdout.write(stringify([COLUMNS, ...rows()]));
