/** The rows of the proof: the kind of each, its text in the file, and its expected end. PURE. */

export const WANTED = 'cfgNew';

type Kind = 'plain' | 'refused' | 'wanted' | 'unknown' | 'denied';

/** 1% are invalid, 2% change nothing, 0.5% name a task that does not exist, 0.1% are denied. */
export function kindOf(row: number): Kind {
  if (row % 100 === 7) return 'refused';
  if (row % 50 === 3) return 'wanted';
  if (row % 200 === 11) return 'unknown';
  if (row % 1_000 === 13) return 'denied';
  return 'plain';
}

/** The ways in which refused rows are wrong, in rotation. */
const wrong: readonly ((row: number) => { readonly identifier: string; readonly line: string })[] = [
  (row) => ({ identifier: `refused-${row}`, line: `refused-${row},${WANTED}` }),
  (row) => ({ identifier: `refused${row}`, line: `refused${row},` }),
  (row) => ({ identifier: `=refused(${row})`, line: `=refused(${row}),${WANTED}` }),
  // The cells cannot be assigned to columns.
  (row) => ({ identifier: '', line: `refused${row},${WANTED},more` }),
];

function wrongOf(row: number): { readonly identifier: string; readonly line: string } {
  return wrong[Math.floor(row / 100) % wrong.length]?.(row) ?? { identifier: '', line: '' };
}

/** The Identifier in the report; `''` for a row without one. */
export function identifierOf(row: number): string {
  return kindOf(row) === 'refused' ? wrongOf(row).identifier : `${kindOf(row)}${row}`;
}

/** The row's text in the file. */
export function lineOf(row: number): string {
  return kindOf(row) === 'refused' ? wrongOf(row).line : `${identifierOf(row)},${WANTED}`;
}

/** The expected counts of a plan of `rows` rows. */
export function expectedCounts(rows: number): Readonly<Record<string, number>> {
  const counts = { plain: 0, refused: 0, wanted: 0, unknown: 0, denied: 0 };
  for (let row = 1; row <= rows; row++) counts[kindOf(row)]++;
  const { refused, wanted } = counts;
  return {
    rows,
    toChange: rows - refused - wanted,
    alreadyAsWanted: wanted,
    refused,
    duplicates: 0,
  };
}

interface End {
  readonly states: readonly string[];
  readonly error: string;
  /** Whether the task must be as wanted in the end. */
  readonly holds: boolean;
  readonly sent: boolean;
}

const ends: Readonly<Record<Kind, End>> = {
  plain: { states: ['applied', 'superseded'], error: '', holds: true, sent: true },
  wanted: { states: ['as-wanted'], error: '', holds: true, sent: false },
  refused: { states: ['refused'], error: '', holds: false, sent: false },
  unknown: { states: ['dead-lettered'], error: 'ResourceNotFoundException', holds: false, sent: true },
  denied: { states: ['dead-lettered'], error: 'AccessDeniedException', holds: false, sent: true },
};

/** Whether a row's record in the report is correct. @param holds whether the API holds what the row wants. */
export function right(row: number, record: Readonly<Record<string, string>>, holds: boolean): boolean {
  const { Row, Identifier = '', State = '', ErrorName = '', Reason = '', Sends = '' } = record;
  const end = ends[kindOf(row)];
  // A spreadsheet must not read it as a formula.
  const identifier = identifierOf(row).replace(/^=/, "'=");
  return (
    Row === String(row) &&
    Identifier === identifier &&
    end.states.includes(State) &&
    ErrorName === end.error &&
    holds === end.holds &&
    (Sends !== '') === end.sent &&
    (State === 'refused') === (Reason !== '' && ErrorName === '')
  );
}
