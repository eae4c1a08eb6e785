import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { epochMs } from '../../src/time/instant.ts';

const second = Date.parse('2026-11-23T07:00:00Z');

test.each([
  ['2026-11-23T07:00Z', 0],
  ['2026-11-23T07:00:00.5Z', 500],
  ['2026-11-23T07:00:00.0009Z', 0],
  // V8 says 999 of it.
  ['2026-11-23T07:00:00.000999999999999Z', 0],
  ['2026-11-23T07:00:00.0010000000000Z', 1],
  ['2026-11-23T09:00:00.0209999999999+02:00', 20],
])('reads %s', (iso, ms) => {
  expect(epochMs(iso)).toBe(second + ms);
});

test('a time that is later is never read as an earlier one, however many digits it has', () => {
  const fraction = fc.stringMatching(/^[09][0-9]{0,17}$/);
  fc.assert(
    fc.property(fraction, fraction, (a, b) => {
      const [earlier = '', later = ''] = [a.padEnd(18, '0'), b.padEnd(18, '0')].toSorted();
      const at = (digits: string): number => epochMs(`2026-11-23T07:00:00.${digits}Z`);
      expect(at(earlier)).toBeLessThanOrEqual(at(later));
      expect([at(a), at(b)].toSorted()).toEqual([at(earlier), at(later)]);
    }),
  );
});

test('nothing is no time', () => {
  expect(epochMs('yesterday')).toBeNaN();
});

test('every time of the program is read so', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const others = globSync(['src/**/*.ts', 'packages/*/src/**/*.ts'], { cwd: root }).filter((path) =>
    /\bDate\.parse\(|\bas Date\b/.test(readFileSync(`${root}/${path}`, 'utf8')),
  );
  expect(others).toEqual(['src/time/instant.ts']);
});
