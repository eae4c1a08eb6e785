import { describe, expect, test } from 'vitest';
import type { Wait } from '../../../src/jobs/rules/decide.ts';
import { DEVICES_STUCK_MS, STUCK_MS, StuckWatch } from '../../../src/jobs/run/stuck.ts';

const unseen = { seen: undefined, failed: false };

test('a job is stuck when rows are in flight and none ends for long, once until one ends', () => {
  let now = 0;
  const watch = new StuckWatch(() => now);
  const after = (ms: number, ended: number, inFlight: number): boolean => {
    now += ms;
    return watch.look({ counts: { ended, inFlight }, waitsFor: undefined, devices: unseen });
  };
  // Nothing in flight: paused, or before its time.
  expect([after(0, 0, 0), after(2 * STUCK_MS, 0, 0), after(0, 0, 5)]).toEqual([false, false, false]);
  expect([after(STUCK_MS - 1, 0, 5), after(1, 0, 5), after(STUCK_MS, 0, 5)]).toEqual([false, true, false]);
  expect([after(0, 1, 4), after(STUCK_MS - 1, 1, 4), after(1, 1, 4)]).toEqual([false, false, true]);
  expect([after(0, 1, 0), after(0, 1, 4), after(STUCK_MS, 1, 4)]).toEqual([false, false, true]);
});

describe('a job that waits for its devices', () => {
  const verify: Wait = { for: 'verify', since: 100 };
  const counts = { ended: 10, inFlight: 0 };
  const seen = { at: 200, inWait: 100, ended: 40, failed: 0, underWay: 60 };

  function setUp() {
    let now = 0;
    const watch = new StuckWatch(() => now);
    return (ms: number, devices: Parameters<StuckWatch['look']>[0]['devices'], waitsFor?: Wait): boolean => {
      now += ms;
      return watch.look({ counts, waitsFor, devices });
    };
  }

  test('is stuck when these cannot be looked at for long, once until they can', () => {
    const passed = setUp();
    const failing = { seen: undefined, failed: true };
    expect([passed(0, unseen, verify), passed(STUCK_MS, unseen, verify)]).toEqual([false, false]);
    expect([passed(0, failing, verify), passed(STUCK_MS - 1, failing, verify)]).toEqual([false, false]);
    expect([passed(1, failing, verify), passed(STUCK_MS, failing, verify)]).toEqual([true, false]);
    expect([passed(0, unseen, verify), passed(0, failing, verify)]).toEqual([false, false]);
    expect(passed(STUCK_MS, failing, verify)).toBe(true);
  });

  test('is stuck when none of them has ended for long, once until one has', () => {
    const passed = setUp();
    const at = (ms: number, more = {}) => ({ seen: { ...seen, at: 200 + ms, ...more }, failed: false });
    expect([passed(0, at(0), verify), passed(DEVICES_STUCK_MS - 1, at(1), verify)]).toEqual([false, false]);
    expect([passed(1, at(2), verify), passed(DEVICES_STUCK_MS, at(3), verify)]).toEqual([true, false]);
    const moved = { ended: 41, underWay: 59 };
    expect([passed(0, at(4, moved), verify), passed(DEVICES_STUCK_MS, at(5, moved), verify)]).toEqual([
      false,
      true,
    ]);
    // None is named yet.
    const none = { ended: 0, underWay: 0 };
    expect([passed(0, at(6, none), verify), passed(DEVICES_STUCK_MS, at(7, none), verify)]).toEqual([
      false,
      true,
    ]);
  });

  test('is not while it soaks, is paused, or has not looked since it waits', () => {
    const passed = setUp();
    const soak: Wait = { for: 'soak', until: 9 };
    const standing = { seen: { ...seen, inWait: 99 }, failed: false };
    for (const wait of [soak, undefined, verify])
      expect([passed(0, standing, wait), passed(DEVICES_STUCK_MS, standing, wait)]).toEqual([false, false]);
  });
});
