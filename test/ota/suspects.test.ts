import { expect, test } from 'vitest';
import { Suspects } from '../../src/ota/suspects.ts';

function setUp() {
  const clock = { now: 0 };
  return { clock, suspects: new Suspects(() => clock.now, 1_000) };
}

test('finds at fault who failed before a call for another began that was answered, and nobody else', () => {
  const { clock, suspects } = setUp();
  suspects.failed('a1');
  clock.now = 10;
  suspects.failed('a2');
  suspects.answered('a1', 10);
  expect(['a1', 'a2'].map((each) => suspects.isAtFault(each))).toEqual([false, true]);
  suspects.failed('a3');
  suspects.answered('b1', 9);
  expect(suspects.isAtFault('a3')).toBe(false);
  expect([
    suspects.size,
    suspects.isSuspect('a3'),
    suspects.isSuspect('a2'),
    suspects.isSuspect('b1'),
  ]).toEqual([1, true, false, false]);
});

test('keeps the first failure of one that fails again and again', () => {
  const { clock, suspects } = setUp();
  suspects.failed('a1');
  clock.now = 10;
  suspects.failed('a1');
  suspects.answered('b1', 5);
  expect(suspects.isAtFault('a1')).toBe(true);
});

test('lets a finding lapse, unless others are answered meanwhile', () => {
  const { clock, suspects } = setUp();
  suspects.failed('a1');
  suspects.failed('a2');
  suspects.answered('b1', 0);
  clock.now = 900;
  suspects.failed('a1');
  suspects.answered('b1', 900);
  clock.now = 1_000;
  expect([suspects.isAtFault('a1'), suspects.isAtFault('a2')]).toEqual([true, false]);
});

test('forgets suspects when they are acquitted, and findings not', () => {
  const { suspects } = setUp();
  suspects.condemn('a1');
  suspects.failed('a2');
  suspects.acquit();
  expect([suspects.size, suspects.isSuspect('a2'), suspects.isAtFault('a1')]).toEqual([0, false, true]);
});

test('keeps 10,000 of either sort', () => {
  const { suspects } = setUp();
  for (let i = 0; i < 10_001; i++) suspects.failed(`a${i}`);
  expect([suspects.size, suspects.isSuspect('a0'), suspects.isSuspect('a10000')]).toEqual([
    10_000,
    false,
    true,
  ]);
  suspects.answered('b1', 0);
  suspects.condemn('a0');
  expect([suspects.isAtFault('a0'), suspects.isAtFault('a1'), suspects.isAtFault('a2')]).toEqual([
    true,
    false,
    true,
  ]);
});
