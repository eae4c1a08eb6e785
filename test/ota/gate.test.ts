import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Failure, FailureKind } from '../../src/message/failure.ts';
import {
  defaultProbeSchedules,
  Gate,
  type GateChange,
  type GateState,
  type ProbeSchedules,
} from '../../src/ota/gate.ts';

const kinds: readonly FailureKind[] = [
  'throttled',
  'unreachable',
  'retryable',
  'conflict',
  'denied',
  'rejected',
  'misconfigured',
  'unidentified',
  'internal',
];

const failed = (kind: FailureKind, status?: number): Failure => ({
  kind,
  name: `${kind}Exception`,
  message: 'it failed',
  ...(status !== undefined && { status }),
});

function setUp(runLimit = 3, schedules: ProbeSchedules = defaultProbeSchedules) {
  const changes: GateChange[] = [];
  const clock = { now: 1_000 };
  const gate = new Gate({
    runLimit,
    schedules,
    now: () => clock.now,
    onChange: (change) => changes.push(change),
  });
  const fail = (kind: FailureKind, ...identifiers: string[]) => {
    for (const identifier of identifiers) gate.observe(identifier, failed(kind));
  };
  return { gate, changes, clock, fail };
}

/** A gate that has been closed in the state given. */
function closedIn(state: Exclude<GateState, 'open'>) {
  const set = setUp();
  set.gate.close(state, failed('retryable'));
  set.changes.length = 0;
  return set;
}

describe('an open gate', () => {
  test('begins open, with nothing to say', () => {
    const { gate, changes } = setUp();
    expect(gate).toMatchObject({ state: 'open', closed: false, closures: 0, reason: undefined });
    expect(changes).toEqual([]);
  });

  test.each([
    ['retryable', 'outage'],
    ['denied', 'denied'],
    ['unidentified', 'misconfigured'],
  ] as const)('closes at a run of %s failures as %s', (kind, state) => {
    const { gate, changes, fail } = setUp();
    fail(kind, 'a1', 'a2');
    expect(gate.closed).toBe(false);
    fail(kind, 'a3');
    expect(gate).toMatchObject({ state, closed: true, closures: 1, reason: { kind } });
    expect(changes).toEqual([{ from: 'open', to: state, failure: failed(kind) }]);
  });

  test('takes one Identifier that fails again and again for one', () => {
    const { gate, fail } = setUp();
    fail('retryable', ...Array<string>(50).fill('a1'), 'a2', 'a1', 'a2');
    expect(gate.state).toBe('open');
    fail('retryable', 'a3');
    expect(gate.state).toBe('outage');
  });

  test.each(['misconfigured', 'unreachable'] as const)('closes at once when a call is %s', (kind) => {
    const { gate, changes, fail } = setUp();
    fail(kind, 'a1');
    expect(gate).toMatchObject({ state: kind, closures: 1 });
    expect(changes).toEqual([{ from: 'open', to: kind, failure: failed(kind) }]);
  });

  test('takes an answer about one request for no evidence against the service', () => {
    const { gate, fail } = setUp();
    fail('conflict', ...Array.from({ length: 100 }, (_, i) => `a${i}`));
    expect(gate.state).toBe('open');
  });

  test.each<[string, Failure | undefined]>([
    ['a success', undefined],
    ['a rejection', failed('rejected', 404)],
    ['a conflict', failed('conflict', 409)],
    ['a failure of the other kind', failed('denied')],
    ['an answer that the API did not give', failed('unidentified')],
    ['a bug in ota-updater', failed('internal')],
  ])('begins its run anew after %s', (_, answer) => {
    const { gate, fail } = setUp();
    fail('retryable', 'a1', 'a2');
    gate.observe('b1', answer);
    fail('retryable', 'a3', 'a4');
    expect(gate.state).toBe('open');
    fail('retryable', 'a5');
    expect(gate.state).toBe('outage');
  });

  test('does not count two kinds of failure towards one run', () => {
    const { gate, fail } = setUp();
    for (const identifier of ['a1', 'a2', 'a3', 'a4']) {
      fail('retryable', identifier, `${identifier}b`);
      fail('denied', `${identifier}c`, `${identifier}d`);
    }
    expect(gate.state).toBe('open');
  });

  test('takes throttling neither for part of a run nor for its end', () => {
    const { gate, fail } = setUp();
    fail('throttled', 'b1', 'b2', 'b3', 'b4');
    fail('retryable', 'a1', 'a2');
    fail('throttled', 'b5');
    expect(gate.state).toBe('open');
    fail('retryable', 'a3');
    expect(gate.state).toBe('outage');
  });

  test('is closed by no run when that is switched off, and still by our own set-up', () => {
    const { gate, fail } = setUp(0);
    const many = Array.from({ length: 100 }, (_, i) => `a${i}`);
    fail('retryable', ...many);
    fail('denied', ...many);
    expect(gate.state).toBe('open');
    fail('misconfigured', 'a1');
    expect(gate.state).toBe('misconfigured');
  });

  test('closes at the first failure when one makes a run', () => {
    const { gate, fail } = setUp(1);
    fail('retryable', 'a1');
    expect(gate.state).toBe('outage');
  });

  test('closes exactly when as many different Identifiers in a row have failed alike', () => {
    const answers = fc.array(
      fc.tuple(
        fc.constantFrom('a', 'b', 'c', 'd'),
        fc.constantFrom(undefined, 'retryable', 'denied', 'throttled'),
      ),
    );
    fc.assert(
      fc.property(answers, fc.integer({ min: 1, max: 4 }), (sequence, limit) => {
        const { gate } = setUp(limit);
        let run: { kind: string | undefined; identifiers: Set<string> } = {
          kind: undefined,
          identifiers: new Set(),
        };
        let denied = new Set<string>();
        let denials = new Set<string>();
        for (const [identifier, kind] of sequence) {
          // Whoever was denied before another succeeded is denied by itself, until it succeeds.
          const itself = kind === 'denied' && denied.has(identifier);
          gate.observe(identifier, kind && failed(kind as FailureKind));
          if (kind === 'denied') denials.add(identifier);
          if (kind === undefined) {
            denied = new Set([...denied, ...denials].filter((other) => other !== identifier));
            denials = new Set();
          }
          if (kind === 'throttled' || itself) continue;
          if (kind !== run.kind) run = { kind, identifiers: new Set() };
          run.identifiers.add(identifier);
          const closes = kind !== undefined && run.identifiers.size >= limit;
          expect(gate.closed).toBe(closes);
          if (closes) return;
        }
      }),
    );
  });
});

describe('a closed gate', () => {
  test.each<[Exclude<GateState, 'open'>, 'opens' | 'stays', string, Failure | undefined]>([
    ['outage', 'opens', '204', undefined],
    ['outage', 'opens', 'a 404 from the API', failed('rejected', 404)],
    ['outage', 'opens', 'a 400 from the API', failed('rejected', 400)],
    ['outage', 'opens', 'a 403 from the API', failed('denied', 403)],
    ['outage', 'opens', 'a conflict', failed('conflict', 409)],
    ['outage', 'stays', 'a 500', failed('retryable', 500)],
    ['outage', 'stays', "a proxy's page", failed('unidentified', 404)],
    ['outage', 'stays', 'a bug in ota-updater', failed('internal')],
    ['denied', 'opens', '204', undefined],
    ['denied', 'opens', 'a 404 from the API', failed('rejected', 404)],
    ['denied', 'opens', 'a conflict, which comes after the policy', failed('conflict', 409)],
    ['denied', 'stays', 'a 400, which may come before the policy is looked at', failed('rejected', 400)],
    ['denied', 'stays', 'a 403', failed('denied', 403)],
    ['denied', 'stays', 'a 500', failed('retryable', 500)],
    ['denied', 'stays', 'throttling', failed('throttled', 429)],
    ['denied', 'stays', "a proxy's page", failed('unidentified', 404)],
    ['unreachable', 'opens', '204', undefined],
    ['unreachable', 'opens', 'a 404 from the API', failed('rejected', 404)],
    ['unreachable', 'opens', 'throttling', failed('throttled', 429)],
    ['unreachable', 'opens', "a proxy's page", failed('unidentified', 404)],
    ['unreachable', 'stays', 'the same again', failed('unreachable')],
    ['unreachable', 'stays', 'a bug in ota-updater', failed('internal')],
    ['misconfigured', 'opens', '204', undefined],
    ['misconfigured', 'opens', 'a 400 from the API', failed('rejected', 400)],
    ['misconfigured', 'opens', 'a 403 from the API', failed('denied', 403)],
    ['misconfigured', 'stays', 'a 500', failed('retryable', 500)],
    ['misconfigured', 'stays', "a proxy's page", failed('unidentified', 404)],
    ['misconfigured', 'stays', 'the same again', failed('misconfigured', 403)],
  ])('in %s %s after %s', (state, verdict, _, answer) => {
    const opens = verdict === 'opens';
    const { gate, changes } = closedIn(state);
    gate.observe('z9', answer);
    expect(gate.state).toBe(opens ? 'open' : state);
    expect(changes).toEqual(opens ? [{ from: state, to: 'open' }] : []);
    expect(gate.reason === undefined).toBe(opens);
  });

  test.each(['outage', 'denied'] as const)('passes from %s to misconfigured', (state) => {
    const { gate, changes, fail } = closedIn(state);
    const before = gate.closures;
    fail('misconfigured', 'a1');
    expect(gate).toMatchObject({
      state: 'misconfigured',
      closures: before + 1,
      reason: { kind: 'misconfigured' },
    });
    expect(changes).toEqual([{ from: state, to: 'misconfigured', failure: failed('misconfigured') }]);
  });

  test('passes from unreachable to outage when a call reaches a server that fails', () => {
    const { gate, changes } = closedIn('unreachable');
    gate.observe('a1', failed('retryable', 503));
    expect(changes).toEqual([{ from: 'unreachable', to: 'outage', failure: failed('retryable', 503) }]);
  });

  test.each(['unreachable', 'misconfigured'] as const)(
    'in %s stays for a success of a call that was under way when it closed',
    (state) => {
      const { gate, clock } = setUp();
      const startedAt = clock.now;
      clock.now += 5;
      gate.close(state, failed(state));
      gate.observe('a1', undefined, startedAt);
      expect(gate.state).toBe(state);
      gate.observe('a2', undefined, clock.now);
      expect(gate.state).toBe('open');
    },
  );

  test('says nothing when closed again for what it is closed for', () => {
    const { gate, changes } = closedIn('outage');
    gate.close('outage', failed('retryable'));
    expect(changes).toEqual([]);
    expect(gate.closures).toBe(1);
  });

  test('wants a whole run to close again after it has opened', () => {
    const { gate, fail } = closedIn('outage');
    fail('retryable', 'a1', 'a2', 'a3');
    gate.observe('b1');
    fail('retryable', 'a4', 'a5');
    expect(gate.state).toBe('open');
    fail('retryable', 'a6');
    expect(gate).toMatchObject({ state: 'outage', closures: 2 });
  });

  test('tells every change, each from where the last one led', () => {
    const answers = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom(undefined, ...kinds)), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(answers, (sequence) => {
        const { gate, changes } = setUp(2);
        for (const [identifier, kind] of sequence) gate.observe(identifier, kind && failed(kind));
        let state: GateState = 'open';
        for (const change of changes) {
          expect(change.from).toBe(state);
          expect(change.to).not.toBe(state);
          expect(change.failure === undefined).toBe(change.to === 'open');
          state = change.to;
        }
        expect(gate.state).toBe(state);
        expect(gate.closures).toBe(changes.filter(({ to }) => to !== 'open').length);
      }),
    );
  });
});

describe('a message about to be given up', () => {
  const retryable = failed('retryable', 500);
  const unidentified = failed('unidentified', 403);

  test.each([
    ['retryable', 'outage'],
    ['denied', 'denied'],
    ['unidentified', 'misconfigured'],
  ] as const)('closes the gate (%s) when others fail as well and nobody is answered', (kind, state) => {
    const { gate, fail } = setUp(20);
    fail(kind, 'a1', 'a2', 'a1');
    gate.closeUnlessAtFault('a1', failed(kind));
    expect(gate.state).toBe(state);
  });

  test.each([
    ['a success', undefined],
    ['a rejection', failed('rejected', 404)],
    ['a conflict', failed('conflict', 409)],
    ['a 403', failed('denied', 403)],
  ])('is at fault when the API answered another between its failures: %s', (_, answer) => {
    const { gate, fail } = setUp(20);
    for (const failure of [retryable, unidentified]) {
      fail(failure.kind, 'a1', 'a2');
      gate.observe('b1', answer);
      fail(failure.kind, 'a1', 'a2');
      gate.closeUnlessAtFault('a1', failure);
      expect(gate.state).toBe('open');
    }
  });

  test('is not at fault for an answer to a call that began before it failed', () => {
    const { gate, clock, fail } = setUp(20);
    const startedAt = clock.now;
    clock.now += 5;
    fail('retryable', 'a1', 'a2');
    gate.observe('b1', undefined, startedAt);
    gate.closeUnlessAtFault('a1', retryable);
    expect(gate.state).toBe('outage');
  });

  test('is at fault when it alone fails with the service’s errors, and never when it alone gets a proxy’s', () => {
    const { gate, fail } = setUp(20);
    fail('retryable', 'a1');
    gate.closeUnlessAtFault('a1', retryable);
    expect(gate.state).toBe('open');
    fail('denied', 'c1');
    gate.closeUnlessAtFault('c1', failed('denied', 403));
    expect([gate.state, gate.denials.isAtFault('c1')]).toEqual(['open', true]);
    fail('unidentified', 'b1');
    gate.closeUnlessAtFault('b1', unidentified);
    expect(gate.state).toBe('misconfigured');
  });

  test('counts no more for those after it', () => {
    const { gate, fail } = setUp(20);
    for (const identifier of ['a1', 'a2', 'a3']) {
      fail('retryable', identifier);
      gate.closeUnlessAtFault(identifier, retryable);
      expect(gate.state).toBe('open');
    }
  });

  test('is at fault with the service’s errors when no run closes the gate', () => {
    const { gate, fail } = setUp(0);
    fail('retryable', 'a1', 'a2');
    gate.closeUnlessAtFault('a1', retryable);
    expect(gate.state).toBe('open');
  });

  test('is at fault with a 403 when a call was permitted in the minute before: none may come after it', () => {
    const { gate, clock, fail } = setUp(20);
    const denied = failed('denied', 403);
    gate.observe('b1');
    clock.now += 59_999;
    fail('denied', 'a1', 'a2', 'a3');
    gate.closeUnlessAtFault('a1', denied);
    expect([gate.state, gate.denials.isAtFault('a1')]).toEqual(['open', true]);
    clock.now += 1;
    gate.closeUnlessAtFault('a2', denied);
    expect(gate.state).toBe('denied');
  });

  test('is at fault when two others were answered between its probes: one alone may come through in an outage', () => {
    const { gate, fail } = setUp(20);
    gate.close('outage', retryable);
    for (const state of ['outage', 'open']) {
      fail('retryable', 'a1', 'a2');
      gate.observe('b1');
      fail('retryable', 'a1', 'a2');
      gate.closeUnlessAtFault('a1', retryable);
      expect(gate.state).toBe(state);
    }
  });

  test('is not held responsible for what failed before the gate closed', () => {
    const { gate, fail } = setUp(20);
    fail('retryable', 'a1', 'a2');
    gate.close('outage', retryable);
    gate.observe('b1');
    fail('retryable', 'a1', 'a2');
    gate.closeUnlessAtFault('a1', retryable);
    expect(gate.state).toBe('outage');
  });
});

describe('Identifiers denied by themselves', () => {
  test('make no run', () => {
    const { gate, fail } = setUp(3);
    fail('denied', 'a1', 'a2');
    gate.observe('b1');
    fail('denied', 'a1', 'a2', 'a1', 'a3', 'a4');
    expect(gate.state).toBe('open');
    fail('denied', 'a5');
    expect(gate.state).toBe('denied');
  });

  test('are forgotten after ten minutes, and when they succeed', () => {
    const { gate, clock, fail } = setUp(2);
    fail('denied', 'a1');
    gate.observe('b1');
    expect(gate.denials.isAtFault('a1')).toBe(true);
    clock.now += 10 * 60_000;
    expect(gate.denials.isAtFault('a1')).toBe(false);
    gate.denials.condemn('a2');
    gate.observe('a2');
    expect(gate.denials.isAtFault('a2')).toBe(false);
  });

  test('are probed as seldom as ever while denied, the others soon', () => {
    const { gate, clock, fail } = setUp(2);
    fail('denied', 'a1', 'a2');
    const closedAt = clock.now;
    expect([gate.probeAt('a1') - closedAt, gate.probeAt('b1') - closedAt]).toEqual([10_000, 150]);
    clock.now += 150;
    gate.probeStarted('b1');
    fail('denied', 'b1');
    expect([gate.probeAt('a1'), gate.probeAt('b1')]).toEqual([closedAt + 10_000, closedAt + 10_000]);
    expect([gate.isWorthProbing('b1'), gate.isWorthProbing('b2')]).toEqual([false, true]);
    expect(gate.probeAt('b2') - clock.now).toBe(150);
  });
});

describe('the schedule of probes', () => {
  /** The waits before each of the first probes, when all of them fail. */
  function waits(state: Exclude<GateState, 'open'>, count: number): number[] {
    const { gate, clock } = closedIn(state);
    return Array.from({ length: count }, () => {
      const wait = gate.probeAt() - clock.now;
      clock.now = gate.probeAt();
      gate.probeStarted();
      return wait;
    });
  }

  test('probes every 5 s in an outage', () => {
    expect(waits('outage', 4)).toEqual([5_000, 5_000, 5_000, 5_000]);
  });

  test('probes every 10 s and up, to a minute, when denied', () => {
    expect(waits('denied', 8)).toEqual([10_000, 10_000, 15_000, 22_500, 33_750, 50_625, 60_000, 60_000]);
  });

  test('probes ever more seldom, to a minute, when misconfigured', () => {
    const all = waits('misconfigured', 10);
    expect(all[0]).toBe(5_000);
    expect(all).toEqual(all.toSorted((a, b) => a - b));
    expect(all.at(-1)).toBe(60_000);
  });

  test('counts from the start of the probe, however late that was', () => {
    const { gate, clock } = closedIn('outage');
    clock.now += 60_000;
    gate.probeStarted();
    expect(gate.probeAt()).toBe(clock.now + 5_000);
  });

  test('begins anew with each closure', () => {
    const { gate, clock } = closedIn('denied');
    for (let i = 0; i < 5; i++) gate.probeStarted();
    gate.observe('a1');
    gate.close('denied', failed('denied'));
    expect(gate.probeAt()).toBe(clock.now + 10_000);
  });

  test('has no probes while open', () => {
    const { gate } = setUp();
    gate.probeStarted();
    expect(gate.state).toBe('open');
    expect(gate.probeAt()).toBe(0);
  });
});
