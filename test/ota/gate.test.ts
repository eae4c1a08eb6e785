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
  'retryable',
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

  test('closes at once when our own set-up is at fault', () => {
    const { gate, changes, fail } = setUp();
    fail('misconfigured', 'a1');
    expect(gate).toMatchObject({ state: 'misconfigured', closures: 1 });
    expect(changes).toEqual([{ from: 'open', to: 'misconfigured', failure: failed('misconfigured') }]);
  });

  test.each<[string, Failure | undefined]>([
    ['a success', undefined],
    ['a rejection', failed('rejected', 404)],
    ['a failure of the other kind', failed('denied')],
    ['an answer that the API did not give', failed('unidentified')],
    ['a bug of ours', failed('internal')],
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
        for (const [identifier, kind] of sequence) {
          gate.observe(identifier, kind && failed(kind as FailureKind));
          if (kind === 'throttled') continue;
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
    ['outage', 'stays', 'a 500', failed('retryable', 500)],
    ['outage', 'stays', "a proxy's page", failed('unidentified', 404)],
    ['outage', 'stays', 'a bug of ours', failed('internal')],
    ['denied', 'opens', '204', undefined],
    ['denied', 'opens', 'a 404 from the API', failed('rejected', 404)],
    ['denied', 'stays', 'a 400, which may come before the policy is looked at', failed('rejected', 400)],
    ['denied', 'stays', 'a 403', failed('denied', 403)],
    ['denied', 'stays', 'a 500', failed('retryable', 500)],
    ['denied', 'stays', 'throttling', failed('throttled', 429)],
    ['denied', 'stays', "a proxy's page", failed('unidentified', 404)],
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

describe('the schedule of probes', () => {
  /** The waits before each of the first probes, when all of them fail. */
  function waits(state: Exclude<GateState, 'open'>, count: number): number[] {
    const { gate, clock } = closedIn(state);
    return Array.from({ length: count }, () => {
      const wait = gate.nextProbeAt - clock.now;
      clock.now = gate.nextProbeAt;
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
    expect(gate.nextProbeAt).toBe(clock.now + 5_000);
  });

  test('begins anew with each closure', () => {
    const { gate, clock } = closedIn('denied');
    for (let i = 0; i < 5; i++) gate.probeStarted();
    gate.observe('a1');
    gate.close('denied', failed('denied'));
    expect(gate.nextProbeAt).toBe(clock.now + 10_000);
  });

  test('has no probes while open', () => {
    const { gate } = setUp();
    gate.probeStarted();
    expect(gate.state).toBe('open');
    expect(gate.nextProbeAt).toBe(0);
  });
});
