import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CommandError } from '../../../src/errors.ts';
import { amountText, formatAmount, isAmount, parseAmount, rowsOf } from '../../../src/jobs/rules/amount.ts';
import { formatRamp, isRamp, parseRamp, rampRoom } from '../../../src/jobs/rules/ramp.ts';
import {
  formatStages,
  isStages,
  nextStageEnd,
  parseStages,
  stageNumber,
} from '../../../src/jobs/rules/stages.ts';

describe('amounts', () => {
  test.each([
    ['500', { rows: 500 }, 500, '500 rows'],
    ['1', { rows: 1 }, 1, '1 row'],
    ['1%', { percent: 1 }, 10, '1% of the rows'],
    ['0.05%', { percent: 0.05 }, 1, '0.05% of the rows'],
    ['7%', { percent: 7 }, 70, '7% of the rows'],
    ['100%', { percent: 100 }, 1_000, '100% of the rows'],
  ])('%s', (text, amount, ofThousand, said) => {
    expect(parseAmount('--canary', text)).toEqual(amount);
    expect(formatAmount(parseAmount('--canary', text))).toBe(text);
    expect(rowsOf(parseAmount('--canary', text), 1_000)).toBe(ofThousand);
    expect(amountText(parseAmount('--canary', text))).toBe(said);
    expect(isAmount(amount)).toBe(true);
  });

  test.each(['', '0', '0%', '-1', '1.5', '101%', '1e3', '%', '5 %x', '5\u001b[2J', '9999999999'])(
    '%j is refused',
    (text) => {
      expect(() => parseAmount('--canary', text)).toThrow(CommandError);
      expect(() => parseAmount('--canary', text)).toThrow(/^--canary [ -~]*: give a number of rows/);
    },
  );

  test.each([null, 5, {}, { rows: 0 }, { rows: 1.5 }, { percent: 101 }, { rows: 1, percent: 1 }])(
    'a ledger does not hold %j as one',
    (value) => {
      expect(isAmount(value)).toBe(false);
    },
  );
});

describe('stages', () => {
  test.each<[string, number, number[]]>([
    ['1%,10%,50%,100%', 50_000, [500, 5_000, 25_000, 50_000]],
    ['1%,10%', 50_000, [500, 5_000, 50_000]],
    ['1%,10%,50%,100%', 5, [1, 3, 5]],
    ['500,+500', 2_200, [500, 1_000, 1_500, 2_000, 2_200]],
    ['+500', 1_200, [500, 1_000, 1_200]],
    ['100,1%,10%', 1_000, [100, 1_000]],
    ['100,10%,+25%', 2_000, [100, 200, 700, 1_200, 1_700, 2_000]],
    ['10', 5, [5]],
  ])('%s of %d rows end at %j', (text, total, ends) => {
    const stages = parseStages(text);
    expect(formatStages(stages)).toBe(text);
    expect(isStages(JSON.parse(JSON.stringify(stages)))).toBe(true);
    const found: number[] = [];
    for (let passed = 0; passed < total; passed = found.at(-1) ?? total) {
      expect(stageNumber(stages, passed, total)).toEqual({ stage: found.length + 1, of: ends.length });
      found.push(nextStageEnd(stages, passed, total));
    }
    expect(found).toEqual(ends);
  });

  test('the stages of any job grow to its end', () => {
    const step = fc.oneof(
      fc.integer({ min: 1, max: 2_000 }).map((rows) => ({ rows })),
      fc.integer({ min: 1, max: 100 }).map((percent) => ({ percent })),
    );
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 5 }),
        fc.option(step, { nil: undefined }),
        fc.integer({ min: 1, max: 3_000 }),
        (steps, repeat, total) => {
          const stages = { steps, ...(repeat !== undefined && { repeat }) };
          const { of } = stageNumber(stages, 0, total);
          let [passed, count] = [0, 0];
          while (passed < total) {
            expect(stageNumber(stages, passed, total)).toEqual({ stage: ++count, of });
            const end = nextStageEnd(stages, passed, total);
            expect(end).toBeGreaterThan(passed);
            passed = end;
          }
          expect(passed).toBe(total);
          expect(count).toBe(of);
        },
      ),
    );
  });

  test.each([
    ['', /"" is neither/],
    ['1%,,5%', /"" is neither/],
    ['10%,5%', /5% is not larger than 10%/],
    ['10,10', /10 is not larger than 10/],
    ['+5,10', /only the last/],
    ['100%,+5', /nothing is left to repeat/],
    ['1%,+0', /"0" is neither/],
    ['1%,200%', /"200%" is neither/],
    ['1\u001b[2J', /is neither/],
    [Array.from({ length: 51 }, (_, i) => i + 1).join(), /at most 50/],
  ])('%j is refused', (text, fault) => {
    expect(() => parseStages(text)).toThrow(CommandError);
    expect(() => parseStages(text)).toThrow(fault);
    expect(() => parseStages(text)).toThrow(/^--stages '[ -~]*…?': .* or --stages 500,\+500\.$/);
  });
});

describe('ramps', () => {
  test('grow with good ends', () => {
    const ramp = parseRamp('50:x2/200');
    expect(ramp).toEqual({ from: 50, factor: 2, after: 200 });
    expect(formatRamp(ramp)).toBe('50:x2/200');
    expect([0, 199, 200, 399, 400, 2_000].map((good) => rampRoom(ramp, good))).toEqual([
      50, 50, 100, 100, 200, 51_200,
    ]);
    expect(rampRoom(parseRamp('10:x1.5/10'), 20)).toBe(22);
    expect(rampRoom(ramp, 1_000_000)).toBe(Number.POSITIVE_INFINITY);
  });

  test.each([
    ['', /give rows in flight/],
    ['50', /give rows in flight/],
    ['50:2/200', /give rows in flight/],
    ['0:x2/200', /before the colon/],
    [
      '50:x1/200',
      /it never grows: every step must add at least one row and 1%, so from 50 rows the factor must be x1.02 or more/,
    ],
    ['50:x0.5/200', /it never grows/],
    ['50:x1.001/200', /from 50 rows the factor must be x1.02 or more/],
    ['50:x1.019/200', /from 50 rows the factor must be x1.02 or more/],
    ['7:x1.142/200', /from 7 rows the factor must be x1.143 or more/],
    ['1:x1.9/200', /from 1 row the factor must be x2 or more/],
    ['999999999:x1.009/200', /from 999,999,999 rows the factor must be x1.01 or more/],
    ['50:x-2/200', /the factor is a number/],
    ['50:x2/0', /after the slash/],
    ['50:x2/\u001b[2J', /after the slash/],
  ])('%j is refused', (text, fault) => {
    expect(() => parseRamp(text)).toThrow(CommandError);
    expect(() => parseRamp(text)).toThrow(fault);
    expect(() => parseRamp(text)).toThrow(/^--ramp '[ -~]*': .* as in --ramp 50:x2\/200: /);
  });

  test.each(['50:x1.02/200', '7:x1.143/200', '1:x2/200', '3:x1.334/1', '100:x1.01/1', '999999999:x1.01/200'])(
    '%s grows by a row and more with every step',
    (text) => {
      const ramp = parseRamp(text);
      const rooms = Array.from({ length: 100 }, (_, i) => rampRoom(ramp, i * ramp.after));
      for (const [i, room] of rooms.entries()) if (i > 0) expect(room).toBeGreaterThan(rooms[i - 1] ?? room);
      // A hundred steps are enough for more than twice as many.
      expect(rooms.at(-1)).toBeGreaterThan(2 * ramp.from);
    },
  );

  test('one of an earlier release that hardly grows is still read', () => {
    expect(isRamp({ from: 50, factor: 1.001, after: 200 })).toBe(true);
  });

  test.each([null, {}, { from: 0, factor: 2, after: 1 }, { from: 1, factor: 1, after: 1 }])(
    'a ledger does not hold %j as one',
    (value) => {
      expect(isRamp(value)).toBe(false);
    },
  );
});
