import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readLimitsText } from '../../src/config/limits-text.ts';

const nothing = { rate: undefined, concurrency: undefined, by: undefined, reason: undefined };

describe('readLimitsText', () => {
  test.each<[string, object]>([
    ['', nothing],
    ['\n# nothing yet\n', nothing],
    ['RATE_LIMIT=20', { ...nothing, rate: 20 }],
    [
      'RATE_LIMIT=unlimited\nMAX_CONCURRENCY=5\n',
      { ...nothing, rate: Number.POSITIVE_INFINITY, concurrency: 5 },
    ],
    ['RATE_LIMIT=\nMAX_CONCURRENCY=7', { ...nothing, concurrency: 7 }],
    ['\ufeffRATE_LIMIT=0.5\r\nMAX_CONCURRENCY=1\r\n', { ...nothing, rate: 0.5, concurrency: 1 }],
    ['  export RATE_LIMIT = "20" # for tonight', { ...nothing, rate: 20 }],
    [
      "RATE_LIMIT=20\nCHANGED_BY=ann\nREASON='the API is slow'",
      { rate: 20, concurrency: undefined, by: 'ann', reason: 'the API is slow' },
    ],
  ])('reads %j', (text, said) => {
    expect(readLimitsText(text)).toEqual(said);
  });

  test.each([
    [
      'RATE_LIMT=20',
      'line 1 sets RATE_LIMT, but only RATE_LIMIT, MAX_CONCURRENCY, CHANGED_BY, REASON can be set there',
    ],
    ['# x\nRATE_LIMIT: 20', 'line 2 is not of the form NAME=value'],
    ['{"RATE_LIMIT": 20}', 'line 1 is not of the form NAME=value'],
    ['RATE_LIMIT=20\nRATE_LIMIT=30', 'line 2 sets RATE_LIMIT again'],
    ['RATE_LIMIT=0', 'RATE_LIMIT must be a number of calls per second from 0.01 to 100000, or "unlimited"'],
    ['MAX_CONCURRENCY=2.5', 'MAX_CONCURRENCY must be a whole number from 1 to 10000'],
    ['MAX_CONCURRENCY="5\n6"', 'line 2 is not of the form NAME=value'],
  ])('refuses %j', (text, fault) => {
    expect(readLimitsText(text)).toBe(fault);
  });

  test('reads back what it may be given', () => {
    const rates = fc.option(fc.double({ min: 0.01, max: 100_000, noNaN: true }), { nil: undefined });
    const calls = fc.option(fc.integer({ min: 1, max: 10_000 }), { nil: undefined });
    fc.assert(
      fc.property(rates, calls, (rate, concurrency) => {
        const lines = [`RATE_LIMIT=${rate ?? ''}`, `MAX_CONCURRENCY=${concurrency ?? ''}`];
        expect(readLimitsText(lines.join('\n'))).toEqual({ ...nothing, rate, concurrency });
      }),
    );
  });

  test('of any text says what is wrong, or bounds that can be gone by', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('RATE_LIMIT=', 'MAX_CONCURRENCY=', 'REASON=', '\n', '"', "'", '#', '20', '1e9', '-1'),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const said = readLimitsText(pieces.join(''));
        if (typeof said === 'string') {
          expect(said).not.toBe('');
          return;
        }
        const { rate = 1, concurrency = 1 } = said;
        expect(rate).toBeGreaterThanOrEqual(0.01);
        expect(Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= 10_000).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
