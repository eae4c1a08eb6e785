import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FoundLimit } from '../../../../src/ota/rate/adaptive/limit-estimate.ts';
import type { Answer, Found } from '../../../../src/ota/rate/fleet/board.ts';
import { writeCalls } from '../../../../src/ota/rate/fleet/calls.ts';
import { FleetMember, type Start } from '../../../../src/ota/rate/fleet/member.ts';
import type { FleetRole, ObservedCall, RateControl } from '../../../../src/ota/rate/rate-control.ts';

/** A rate control that is told its rate, and keeps what it sees. */
class Told implements RateControl {
  readonly calls: ObservedCall[] = [];
  readonly holds: (readonly [from: number, to: number])[] = [];
  readonly start: Start;
  readonly #onChange: () => void;
  ceiling: number;
  rate: number;
  foundAt: number | undefined;
  limit: FoundLimit | undefined;

  constructor(start: Start, onChange: () => void) {
    this.start = start;
    this.ceiling = start.ceiling;
    this.rate = start.startAt ?? start.ceiling;
    this.foundAt = start.startFoundAt;
    this.#onChange = onChange;
  }

  observe(call: ObservedCall): void {
    this.calls.push(call);
  }

  held(from: number, to: number): void {
    this.holds.push([from, to]);
  }

  setCeiling(perSecond: number): void {
    this.ceiling = perSecond;
    this.rate = Math.min(this.rate, perSecond);
  }

  find(rate: number, at: number): void {
    this.rate = rate;
    this.foundAt = at;
    this.#onChange();
  }
}

function join(begin: Start = { ceiling: 400 }) {
  const controls: Told[] = [];
  const told: [number, FleetRole][] = [];
  const member = new FleetMember({
    begin,
    control: (start, onChange) => {
      const control = new Told(start, onChange);
      controls.push(control);
      return control;
    },
    onChange: (rate, role) => told.push([rate, role]),
  });
  return { member, controls, told, latest: () => controls.at(-1) as Told };
}

const answer = (of: Partial<Answer>): Answer => ({
  leads: false,
  before: 'other',
  found: undefined,
  reports: [],
  ...of,
});
const found: Found = { rate: 100, foundMs: 60_000, provedMs: 50 };
const call = (endedAt: number, throttled = false): ObservedCall => ({
  startedAt: endedAt - 50,
  endedAt,
  ...(throttled && { failure: { kind: 'throttled' } }),
});
const shared = (rate: number, wanting = 4, ceiling = 400) => ({ ceiling, rate, wanting });

/** What happened last, in one word. */
type Step = 'follow' | 'lead' | 'lose';

describe('a member', () => {
  test('is alone at first, and its own control decides', () => {
    const { member, latest, told } = join({ ceiling: 400, startAt: 80, startFoundAt: -5 });
    expect([member.role, member.rate, member.foundAt]).toEqual(['alone', 80, -5]);
    member.observe(call(10));
    expect(latest().calls).toEqual([call(10)]);
    latest().find(60, 10);
    expect(told).toEqual([[60, 'alone']]);
    expect(member.hasNews).toBe(false);
  });

  test('that follows goes by the rate of the budget, and reports its calls once', () => {
    const { member, controls } = join();
    member.write(0);
    member.read(answer({ found }), 70_000);
    member.hear(shared(100));
    expect([member.role, member.rate, member.foundAt]).toEqual(['following', 100, 10_000]);
    expect(member.ownRate).toBe(25);
    member.observe(call(70_020, true));
    expect(member.hasNews).toBe(true);
    expect(member.write(70_050)).toEqual({ calls: writeCalls([call(70_020, true)], 70_050) });
    expect(member.hasNews).toBe(false);
    expect(member.write(70_150)).toEqual({ calls: '' });
    expect(controls).toHaveLength(1);
    expect(controls[0]?.calls).toEqual([]);
  });

  test('that begins to lead is never said to go at more than the ceiling of all', () => {
    const { member, told } = join({ ceiling: 300 });
    member.hear(shared(80, 2, 80));
    member.write(0);
    member.read(answer({ leads: true, before: 'none' }), 10);
    expect(told).toEqual([[80, 'leading']]);
  });

  test('that leads says the limit that it has found, and one that follows knows it', () => {
    const limit = { perSecond: 99, withinShare: 0.1, since: 400, periodMs: undefined, noise: 0 };
    const { member: leader, latest } = join();
    leader.write(0);
    leader.read(answer({ leads: true, before: 'none' }), 0);
    latest().find(100, 300);
    latest().limit = limit;
    const said = leader.write(1_000).leads?.found;
    const { member } = join();
    expect(member.limit).toBeUndefined();
    member.write(0);
    member.read(answer({ found: said }), 70_000);
    expect([leader.limit, member.limit]).toEqual([limit, { ...limit, since: 69_400 }]);
    member.read(answer({ found }), 71_000);
    expect(member.limit).toBeUndefined();
    member.read(answer({ found: { ...found, limit: 'x' } }), 72_000);
    expect(member.limit).toBeUndefined();
  });

  test('that leads judges the calls of all in the order of their ends, on its own clock', () => {
    const { member, latest } = join();
    member.write(0);
    member.read(answer({ leads: true, before: 'none' }), 0);
    member.observe(call(1_000));
    member.observe(call(1_040));
    member.write(1_050);
    const others = writeCalls([call(5_000, true), call(5_020)], 5_030);
    const judged = member.read(
      answer({ leads: true, before: 'self', reports: [{ agoMs: 20, calls: others }] }),
      1_055,
    );
    expect(judged).toBe(4);
    expect(latest().calls.map(({ endedAt }) => endedAt)).toEqual([1_000, 1_005, 1_025, 1_040]);
    expect(latest().calls.map(({ failure }) => failure?.kind)).toEqual([
      undefined,
      'throttled',
      undefined,
      undefined,
    ]);
  });

  test('alone and leading tells its control when calls were held; following, that is for the leader to know', () => {
    const { member, controls, latest } = join();
    member.held(10, 20);
    member.write(30);
    member.read(answer({ found }), 70_000);
    member.held(70_010, 70_020);
    expect(controls.flatMap(({ holds }) => holds)).toEqual([[10, 20]]);
    member.write(70_050);
    member.read(answer({ leads: true, before: 'none' }), 70_060);
    member.held(70_070, 70_080);
    expect(latest().holds).toEqual([[70_070, 70_080]]);
  });

  test('never judges a call as ended before one that was judged already', () => {
    const { member, latest } = join();
    member.write(0);
    member.read(answer({ leads: true, before: 'none' }), 0);
    const reports = fc.array(fc.record({ own: fc.nat(1_000), others: fc.nat(3_000), agoMs: fc.nat(3_000) }), {
      maxLength: 8,
    });
    let now = 0;
    fc.assert(
      fc.property(reports, (steps) => {
        for (const { own, others, agoMs } of steps) {
          now += 50;
          member.observe(call(now - own));
          member.write(now);
          const calls = writeCalls([call(now - others)], now);
          member.read(answer({ leads: true, before: 'self', reports: [{ agoMs, calls }] }), now);
        }
        const ends = latest().calls.map(({ endedAt }) => endedAt);
        expect(ends).toEqual(ends.toSorted((a, b) => a - b));
        expect(latest().calls.every(({ startedAt, endedAt }) => startedAt <= endedAt)).toBe(true);
      }),
    );
  });

  test('that leads takes a call that began soon after a change for one of the rate before', () => {
    const { member, latest } = join();
    member.write(0);
    member.read(answer({ leads: true, before: 'none' }), 0);
    member.hear(shared(400, 1));
    member.observe(call(1_000));
    member.write(1_000);
    member.read(answer({ leads: true, before: 'self' }), 1_000);
    // Until it has been reported, judged, and the rate written.
    const [first] = latest().calls;
    expect(1_000 - 50 - (first?.startedAt ?? 0)).toBe(200);
  });

  test('that leads leaves out a report that is nonsense, and more calls than a fleet makes', () => {
    const { member } = join();
    member.write(0);
    member.read(answer({ leads: true, before: 'none' }), 0);
    member.write(50);
    const many = Array.from({ length: 100 }, () => ({ agoMs: 1, calls: '[1,1,10000,0]' }));
    const reports = [{ agoMs: 1, calls: 'x' }, { agoMs: 1, calls: '[1,1,1,0]' }, ...many];
    expect(member.read(answer({ leads: true, before: 'self', reports }), 50)).toBeLessThan(100_000);
  });

  describe('says what it has found while it leads', () => {
    test.each([
      ['nothing below the ceiling', 400, undefined, undefined],
      [
        'a rate, since when, and when it was last borne out',
        90,
        200,
        { rate: 90, foundMs: 800, provedMs: 100 },
      ],
    ])('%s', (_, rate, foundAt, said) => {
      const { member, latest } = join();
      member.write(0);
      member.read(answer({ leads: true, before: 'none' }), 0);
      member.observe(call(900));
      member.write(900);
      member.read(answer({ leads: true, before: 'self' }), 900);
      if (foundAt !== undefined) latest().find(rate, foundAt);
      expect(member.write(1_000).leads).toEqual({ found: said });
    });
  });

  describe('that begins to lead', () => {
    test.each<{
      readonly name: string;
      readonly begin?: Start;
      readonly steps?: readonly Step[];
      readonly found?: Found;
      readonly begins: Start;
    }>([
      { name: 'a new fleet begins at the ceiling', begins: { ceiling: 400 } },
      {
        name: 'a new fleet begins at what it remembers itself',
        begin: { ceiling: 400, startAt: 70, startFoundAt: -1 },
        begins: { ceiling: 400, startAt: 70, startFoundAt: -1 },
      },
      {
        name: 'begins at what the fleet has found',
        found,
        begins: { ceiling: 400, startAt: 100, startFoundAt: 40_000, inForce: true },
      },
      {
        name: 'begins at what the fleet found long ago, rather than at what it remembers itself',
        begin: { ceiling: 400, startAt: 70, startFoundAt: -1 },
        found: { ...found, provedMs: 50_000 },
        begins: { ceiling: 400, startAt: 100, startFoundAt: 40_000 },
      },
      {
        name: 'after following begins at what the fleet has found',
        steps: ['follow'],
        found,
        begins: { ceiling: 400, startAt: 100, startFoundAt: 40_000, inForce: true },
      },
      {
        name: 'after following begins where it was, when Redis has forgotten it',
        steps: ['follow'],
        begins: { ceiling: 400, startAt: 100, startFoundAt: 39_000, inForce: true },
      },
      {
        name: 'after being alone begins at what its part comes to, when Redis has forgotten it',
        steps: ['follow', 'lose'],
        begins: { ceiling: 400, startAt: 100, startFoundAt: 39_000, inForce: true },
      },
    ])('$name', ({ begin, steps = [], found: known, begins }) => {
      const { member, latest } = join(begin);
      for (const step of steps) {
        if (step === 'lose') member.lose(99_500);
        else {
          member.write(99_000);
          member.read(answer({ found: { ...found, foundMs: 60_000 } }), 99_000);
          member.hear(shared(100));
        }
      }
      member.write(100_000);
      member.read(answer({ leads: true, before: 'none', found: known }), 100_000);
      expect([member.role, latest().start]).toEqual(['leading', begins]);
    });

    test('after being alone goes by what it has seen, not by what the fleet found before that', () => {
      const { member, latest } = join();
      member.write(0);
      member.read(answer({ found }), 0);
      member.hear(shared(100, 2));
      member.lose(10);
      expect([member.rate, latest().start]).toEqual([
        50,
        { ceiling: 400, startAt: 50, startFoundAt: -60_000, inForce: true },
      ]);
      member.observe(call(30_000));
      latest().find(40, 30_000);
      member.write(31_000);
      member.read(answer({ leads: true, found: { ...found, provedMs: 31_000 } }), 31_000);
      expect(latest().start).toEqual({ ceiling: 400, startAt: 80, startFoundAt: 30_000, inForce: true });
    });

    test('keeps the control that it has while nobody else has led', () => {
      const { member, controls } = join();
      for (const before of ['none', 'self', 'none', 'self'] as const) {
        member.write(0);
        member.read(answer({ leads: true, before, found }), 0);
      }
      expect(controls).toHaveLength(2);
      member.write(0);
      member.read(answer({ leads: true, before: 'other', found }), 0);
      expect(controls).toHaveLength(3);
    });

    test('is bound by the lowest ceiling of all, now and when it changes', () => {
      const { member, latest } = join();
      member.hear(shared(300, 2, 300));
      expect(member.rate).toBe(400);
      member.write(0);
      member.read(answer({ leads: true, before: 'none' }), 0);
      expect([latest().ceiling, member.rate]).toEqual([300, 300]);
      member.hear(shared(200, 2, 200));
      expect(latest().ceiling).toBe(200);
      member.setCeiling(150);
      expect(latest().ceiling).toBe(150);
      member.lose(0);
      expect(latest().ceiling).toBe(150);
    });
  });

  test('that loses Redis is alone with its part, and reports nothing of before', () => {
    const { member, latest, told } = join();
    member.write(0);
    member.read(answer({ found }), 0);
    member.hear(shared(100, 5));
    member.observe(call(10));
    member.lose(20);
    expect([member.role, member.rate, member.hasNews]).toEqual(['alone', 20, false]);
    expect(told.at(-1)).toEqual([20, 'alone']);
    member.lose(30);
    expect(latest().rate).toBe(20);
    expect(member.write(40)).toEqual({ calls: '' });
  });

  test('that loses Redis before anything was found is alone at its ceiling: the limiter knows its part of that', () => {
    const { member, latest } = join();
    member.write(0);
    member.read(answer({}), 0);
    member.hear(shared(400, 5));
    member.lose(20);
    expect(latest().start).toEqual({ ceiling: 400 });
  });

  test('that another one follows in leading follows it', () => {
    const { member, latest } = join();
    member.write(0);
    member.read(answer({ leads: true, before: 'none' }), 0);
    latest().find(90, 0);
    member.write(10);
    member.read(answer({ found }), 10);
    member.hear(shared(100));
    expect([member.role, member.rate]).toEqual(['following', 100]);
    expect(member.write(20).leads).toBeUndefined();
  });
});
