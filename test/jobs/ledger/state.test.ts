import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  jobEvents,
  jobStates,
  nextState,
  restingStates,
  transitions,
} from '../../../src/jobs/ledger/state.ts';

const anyState = fc.constantFrom(
  ...jobStates.filter((name) => name !== 'stopping').map((name) => ({ name })),
  ...restingStates.map((towards) => ({ name: 'stopping' as const, towards })),
);

test('every state can be reached from the first one, and every one but `cancelled` can be left', () => {
  const reached = new Set<string>(['planned']);
  const states: Parameters<typeof nextState>[0][] = [{ name: 'planned' }];
  for (const state of states)
    for (const event of jobEvents) {
      const next = nextState(state, event);
      if (next === undefined || reached.has(`${next.name} ${next.towards ?? ''}`.trim())) continue;
      reached.add(`${next.name} ${next.towards ?? ''}`.trim());
      states.push(next);
    }
  for (const name of jobStates)
    expect(
      [...reached].some((one) => one.split(' ')[0] === name),
      name,
    ).toBe(true);
  for (const name of jobStates) {
    if (name === 'stopping') continue;
    const kept = { name: 'paused', since: 0, who: 'ann@ops1' } as const;
    const state = name === 'elsewhere' ? { name, kept } : { name };
    const leads = jobEvents.some((event) => nextState(state, event) !== undefined);
    expect(leads, name).toBe(name !== 'cancelled');
  }
});

test('a stopping job says towards what, and no other one does', () => {
  fc.assert(
    fc.property(anyState, fc.constantFrom(...jobEvents), (state, event) => {
      const next = nextState(state, event);
      if (next !== undefined) expect(next.towards !== undefined).toBe(next.name === 'stopping');
    }),
  );
});

test('a job that is being cancelled ends cancelled, whatever else happens to it', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...jobEvents)), (events) => {
      let state: Parameters<typeof nextState>[0] = { name: 'stopping', towards: 'cancelled' };
      for (const event of events) state = nextState(state, event) ?? state;
      expect(state.name === 'cancelled' || state.towards === 'cancelled').toBe(true);
    }),
  );
});

test('the same event twice changes nothing the second time, but for those that lead on', () => {
  fc.assert(
    fc.property(anyState, fc.constantFrom(...jobEvents), (state, event) => {
      const once = nextState(state, event);
      if (once !== undefined && transitions[event].to !== 'towards')
        expect(nextState(once, event)).toBeUndefined();
    }),
  );
});
