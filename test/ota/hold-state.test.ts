import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  accepted,
  free,
  type HoldState,
  MAX_HOLD_MS,
  throttled,
  timePassed,
} from '../../src/ota/hold-state.ts';

/** What happens: calls are answered, which are told by when they began, or time passes. `at` is when. */
type Step =
  | { readonly at: number; readonly accepted: number }
  | {
      readonly at: number;
      readonly named: number;
      readonly until: number;
      /** The Identifier; each call's own if omitted. */
      readonly of?: string;
      /** Calls that are not answered yet. */
      readonly open?: readonly number[];
    }
  | { readonly at: number };

function stateAfter(steps: readonly Step[], state: HoldState = free): HoldState {
  return steps.reduce((before, step) => {
    if ('accepted' in step) return accepted(before, step.accepted);
    if ('named' in step) {
      const { named: startedAt, until, of: identifier = `task${startedAt}`, open = [] } = step;
      const others = open.map((each) => ({ identifier: 'open', startedAt: each }));
      return throttled(before, { identifier, startedAt, until }, others, step.at);
    }
    return timePassed(before, step.at);
  }, state);
}

const inARow: readonly Step[] = [
  { at: 50, named: 10, until: 3_000 },
  { at: 60, named: 20, until: 5_000 },
  { at: 70, named: 30, until: 4_000 },
];

const ofTwo = (at: number, i: number): Step => ({ at, named: i, until: 5_000, of: `task${i % 2}` });

describe('calls are not held', () => {
  const cases: [string, readonly Step[]][] = [
    ['by two throttled calls', inARow.slice(1)],
    ['by any number of them for two Identifiers', [...inARow, ...inARow].map(({ at }, i) => ofTwo(at, i))],
    [
      'by three, the second of which began before one that was accepted',
      [...inARow.slice(0, 2), { at: 65, accepted: 25 }, ...inARow.slice(2)],
    ],
    [
      'by three, before one of which a call began that was accepted, and whose answer came first',
      [{ at: 40, accepted: 15 }, ...inARow],
    ],
    [
      'by three while one that began among them is not answered',
      [...inARow.slice(0, 2), { at: 70, named: 30, until: 4_000, open: [11] }],
    ],
    ['by three that began with the accepted one', [{ at: 40, accepted: 30 }, ...inARow]],
    ['any more when the time has come', [...inARow, { at: 5_000 }]],
    ['any more when a call is accepted that began after all of them', [...inARow, { at: 90, accepted: 40 }]],
    [
      'any more when a call is accepted that began after the first of them',
      [...inARow, { at: 90, accepted: 11 }],
    ],
    [
      'again by one throttled call, where one was accepted since',
      [...inARow, { at: 5_000 }, { at: 5_100, accepted: 5_050 }, { at: 5_200, named: 5_150, until: 9_000 }],
    ],
  ];
  test.each(cases)('%s', (_, steps) => {
    expect(stateAfter(steps)).toMatchObject({ held: false });
  });
});

describe('calls are held', () => {
  const cases: [string, readonly Step[], { since: number; until: number }][] = [
    ['by three throttled calls in a row, until the latest time named', inARow, { since: 70, until: 5_000 }],
    [
      'by three that were answered in another order than they began in',
      [inARow[2] as Step, inARow[0] as Step, { at: 70, named: 20, until: 5_000 }],
      { since: 70, until: 5_000 },
    ],
    [
      'where a call was accepted that had begun before them, whenever its answer comes',
      [...inARow.slice(0, 2), { at: 65, accepted: 5 }, ...inARow.slice(2), { at: 80, accepted: 9 }],
      { since: 70, until: 5_000 },
    ],
    [
      'while others that began before or after them are not answered',
      [...inARow.slice(0, 2), { at: 70, named: 30, until: 4_000, open: [9, 31] }],
      { since: 70, until: 5_000 },
    ],
    [
      'for longer by a later time',
      [...inARow, { at: 100, named: 40, until: 9_000 }],
      { since: 70, until: 9_000 },
    ],
    [
      'for as long as before by an earlier time',
      [...inARow, { at: 100, named: 40, until: 1_000 }],
      { since: 70, until: 5_000 },
    ],
    [
      'for as long as before by a call that began before an accepted one',
      [{ at: 40, accepted: 5 }, ...inARow, { at: 100, named: 4, until: 9_000 }],
      { since: 70, until: 5_000 },
    ],
    [
      'for a minute at most',
      [...inARow, { at: 100, named: 40, until: 900_000 }],
      { since: 70, until: 100 + MAX_HOLD_MS },
    ],
    ['before the time has come', [...inARow, { at: 4_999 }], { since: 70, until: 5_000 }],
    [
      'again by the first throttled call after it, also for an Identifier of before, where none was accepted',
      [...inARow, { at: 5_000 }, { at: 5_100, named: 5_050, until: 6_000, of: 'task30' }],
      { since: 5_100, until: 6_000 },
    ],
  ];
  test.each(cases)('%s', (_, steps, span) => {
    expect(stateAfter(steps)).toMatchObject({ held: true, ...span });
  });
});

describe('whatever the answers', () => {
  const answer = fc.record({
    of: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    startedAt: fc.integer({ min: 0, max: 50 }),
    until: fc.option(fc.integer({ min: 1_000, max: 200_000 }), { nil: undefined }),
  });
  type Answer = { readonly of: string; readonly startedAt: number; readonly until: number | undefined };
  /** All of them begin before the first is answered. */
  const stepsOf = (answers: readonly Answer[]): Step[] =>
    answers.map(({ of, startedAt, until }, i) =>
      until === undefined
        ? { at: 100 + i, accepted: startedAt }
        : {
            at: 100 + i,
            named: startedAt,
            until,
            of,
            open: answers.slice(i + 1).map((later) => later.startedAt),
          },
    );

  test('calls are held if after every accepted one some began that were throttled, for three Identifiers, in whatever order the answers come', () => {
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 20 }), (answers) => {
        const lastAccepted = Math.max(
          -1,
          ...answers.flatMap(({ startedAt, until }) => (until === undefined ? [startedAt] : [])),
        );
        const row = answers.filter(({ startedAt, until }) => until !== undefined && startedAt > lastAccepted);
        expect(stateAfter(stepsOf(answers)).held).toBe(new Set(row.map(({ of }) => of)).size >= 3);
      }),
    );
  });

  test('a hold ends at a time that was named, and within a minute of the last answer', () => {
    fc.assert(
      fc.property(fc.array(answer, { minLength: 3, maxLength: 20 }), (answers) => {
        const steps = stepsOf(answers);
        const state = stateAfter(steps);
        if (!state.held) return;
        const named = steps.flatMap((step) =>
          'until' in step ? [Math.min(step.until, step.at + MAX_HOLD_MS)] : [],
        );
        expect(named).toContain(state.until);
        for (const call of state.named) expect(call.until).toBeLessThanOrEqual(state.until);
        expect(timePassed(state, state.until)).toMatchObject({ held: false });
        expect(state.until).toBeLessThanOrEqual(100 + answers.length + MAX_HOLD_MS);
      }),
    );
  });
});
