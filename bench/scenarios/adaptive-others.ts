/** The adaptive rate when the limit moves, and when others use the same API. */
import { otaUpdater, stranger } from '../harness/contenders.ts';
import { callsOverTime, limitLine, lineOf, runRateTrial } from '../harness/rate-trial.ts';
import { type Plot, percent, type Table, type Target } from '../harness/result.ts';
import type { Stage } from '../harness/stage.ts';
import { perSecond, seriesOf, throttledShare } from '../harness/timeline.ts';

const LIMIT = 200;
const LOW = 50;
const STRANGER = 50;
const api = { limit: { ratePerSecond: LIMIT, burst: 20 }, latency: { minMs: 50, maxMs: 50 } };

interface Part {
  readonly targets: readonly Target[];
  readonly tables: readonly Table[];
  readonly plots: readonly Plot[];
}

/** The limit goes from 200 to 50 and back. */
export async function followSteps(stage: Stage, quick: boolean): Promise<Part> {
  const down = quick ? 10 : 30;
  const up = down + (quick ? 15 : 30);
  const seconds = up + (quick ? 32 : 40);
  const { timeline, zero } = await runRateTrial(stage, {
    api,
    callers: [
      { contender: otaUpdater({ RATE_LIMIT: '400' }), prefix: 'task', messages: LIMIT * seconds + 500 },
    ],
    seconds: seconds + 0.5,
    steps: [
      { atSecond: down, limitPerSecond: LOW },
      { atSecond: up, limitPerSecond: LIMIT },
    ],
  });
  const all = seriesOf(timeline);
  const calls = all.accepted.map((count, i) => count + (all.throttled[i] ?? 0));
  const near = (from: number, to: number, limit: number) => secondsUntilNear(calls, zero, from, to, limit);
  const downIn = near(down, up, LOW);
  const upIn = near(up, seconds, LIMIT);
  const limit = [
    { at: 0, value: LIMIT },
    { at: down, value: LIMIT },
    { at: down, value: LOW },
    { at: up, value: LOW },
    { at: up, value: LIMIT },
    { at: seconds, value: LIMIT },
  ];
  const svg = callsOverTime('The limit steps from 200 to 50 and back', [
    lineOf('calls', calls, zero, seconds),
    lineOf('answered 429', all.throttled, zero, seconds),
    { name: 'limit', points: limit, dashed: true },
  ]);
  const said = (claim: string, within: number, took: number): Target => ({
    claim,
    seen: Number.isFinite(took) ? `after ${took.toFixed(1)} s` : 'never',
    met: took <= within,
  });
  return {
    targets: [
      said('limit down to 50/s: calls inside 10% of it within 5 s', 5, downIn),
      said('limit back up to 200/s: calls inside 10% of it within 30 s', 30, upIn),
    ],
    tables: [],
    plots: [{ name: 'adaptive-steps', svg }],
  };
}

/** Two workers, the second starting later, and a stranger that calls at a fixed 50/s. */
export async function shareWithOthers(stage: Stage, quick: boolean): Promise<Part> {
  const seconds = quick ? 40 : 120;
  const second = quick ? 10 : 30;
  const from = quick ? 25 : 60;
  const worker = () => otaUpdater({ RATE_LIMIT: '400' });
  const { timeline, zero } = await runRateTrial(stage, {
    api,
    callers: [
      { contender: worker(), prefix: 'first', messages: LIMIT * seconds },
      { contender: stranger(STRANGER), prefix: 'stranger', messages: 0 },
      { contender: worker(), prefix: 'second', messages: LIMIT * seconds, atSecond: second },
    ],
    seconds: seconds + 0.5,
  });
  const [a, b, other, all] = [['first'], ['second'], ['stranger'], undefined].map((names) =>
    seriesOf(timeline, names),
  );
  if (a === undefined || b === undefined || other === undefined || all === undefined) throw new Error();
  const rate = (buckets: readonly number[]) => perSecond(buckets, zero + from, zero + seconds);
  const [rateA, rateB] = [rate(a.accepted), rate(b.accepted)];
  const apart = Math.abs(rateA - rateB) / ((rateA + rateB) / 2);
  const share = rate(all.accepted) / LIMIT;
  const line = (name: string, buckets: readonly number[]) => lineOf(name, buckets, zero, seconds);
  const svg = callsOverTime(`Two workers ${second} s apart, and a stranger who takes ${STRANGER}/s`, [
    line('first worker', a.accepted),
    line('second worker', b.accepted),
    line('stranger', other.accepted),
    line('sum', all.accepted),
    limitLine(LIMIT, seconds),
  ]);
  const row = (name: string, each: typeof a): string[] => [
    name,
    rate(each.accepted).toFixed(1),
    percent(throttledShare(each, zero + from, zero + seconds), 2),
  ];
  return {
    targets: [
      {
        claim: `two workers and a stranger: the sum at least 95% of the limit from ${from} s on`,
        seen: percent(share),
        met: share >= 0.95,
      },
      {
        claim: `the two workers within 15% of each other between ${from} and ${seconds} s`,
        seen: `${rateA.toFixed(1)} and ${rateB.toFixed(1)} per second, ${percent(apart)} apart`,
        met: apart <= 0.15,
      },
    ],
    tables: [
      {
        columns: [`sharing ${LIMIT}/s, ${from}-${seconds} s`, 'accepted/s', '429s, of its calls'],
        rows: [
          row('first worker', a),
          row(`second worker, ${second} s later`, b),
          row(`stranger at ${STRANGER}/s`, other),
          row('all', all),
        ],
      },
    ],
    plots: [{ name: 'adaptive-others', svg }],
  };
}

/** Seconds after `from` from which on every window of 2 s, up to 6 s later, is within 10% of the limit. */
function secondsUntilNear(
  calls: readonly number[],
  zero: number,
  from: number,
  to: number,
  limit: number,
): number {
  const near = (at: number) => Math.abs(perSecond(calls, zero + at, zero + at + 2) - limit) <= 0.1 * limit;
  for (let at = from; at + 2 <= to; at += 0.1) {
    const later = Math.min(at + 4, to - 2);
    if (near(at) && near(later)) return at - from;
  }
  return Number.POSITIVE_INFINITY;
}
