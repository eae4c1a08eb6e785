/** How long, and by how many, a claim of another worker is waited for. */
import { expect, test } from 'vitest';
import { ClaimWaits } from '../../../src/ota/newest/claim-waits.ts';

function setUp(most = 2) {
  const time = { ms: 0 };
  const stuck: boolean[] = [];
  const waits = new ClaimWaits({
    longestMs: 10_000,
    most,
    now: () => time.ms,
    onStuck: (now) => stuck.push(now),
  });
  return { waits, time, stuck };
}

test('a wait is over when the claim was held for too long, also over several deliveries', () => {
  const { waits, time, stuck } = setUp();
  const wait = waits.begin('a1');
  expect(wait?.isOver()).toBe(false);
  time.ms = 9_000;
  wait?.end();
  const second = waits.begin('a1');
  expect(second?.isOver()).toBe(false);
  time.ms = 10_001;
  expect([second?.isOver(), stuck]).toEqual([true, [true]]);
  second?.end();
  // Those behind it do not begin anew.
  expect([waits.begin('a1'), waits.waiting]).toEqual([undefined, 0]);
  expect(waits.begin('b2')?.isOver()).toBe(false);
});

test('it begins anew once the claim was free', () => {
  const { waits, time, stuck } = setUp();
  waits.begin('a1')?.end();
  time.ms = 10_001;
  expect(waits.begin('a1')).toBeUndefined();
  waits.had('a1');
  expect(waits.begin('a1')?.isOver()).toBe(false);
  expect(stuck).toEqual([true, false]);
});

test('claims are stuck until the last of those not free in time was had', () => {
  const { waits, time, stuck } = setUp(10);
  for (const identifier of ['a1', 'b2']) waits.begin(identifier)?.end();
  time.ms = 10_001;
  for (const identifier of ['a1', 'b2', 'c3']) waits.begin(identifier)?.end();
  waits.had('c3');
  waits.had('a1');
  expect(stuck).toEqual([true]);
  waits.had('b2');
  expect(stuck).toEqual([true, false]);
});

test('an Identifier that is not asked for any more is forgotten: another worker has had the claim', () => {
  const { waits, time, stuck } = setUp();
  waits.begin('a1')?.end();
  time.ms = 10_001;
  waits.begin('a1');
  time.ms = 400_000;
  waits.begin('b2');
  waits.had('b2');
  expect(stuck).toEqual([true, false]);
});

test('so many wait at once, whatever for', () => {
  const { waits } = setUp();
  const first = waits.begin('a1');
  waits.begin('b2');
  expect([waits.begin('c3'), waits.waiting]).toEqual([undefined, 2]);
  first?.end();
  expect(waits.begin('c3')).toBeDefined();
});

test('a message is deferred for about as long as a claim can last, and two minutes at most', () => {
  const { waits } = setUp();
  expect([waits.deferSeconds(() => 0), waits.deferSeconds(() => 0.999)]).toEqual([5, 10]);
  const slow = new ClaimWaits({ longestMs: 600_000, most: 1, now: () => 0, onStuck: () => {} });
  expect([slow.deferSeconds(() => 0), slow.deferSeconds(() => 0.999)]).toEqual([60, 120]);
});
