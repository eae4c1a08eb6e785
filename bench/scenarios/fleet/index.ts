/**
 * One worker, four workers, and four on Redis, on limiters of several kinds, compared with what others use; each also in virtual
 * time.
 */
import { loadavg } from 'node:os';
import type { Line } from '../../../testing/plots/svg.ts';
import { findRedis } from '../../../testing/redis/server.ts';
import { workOff } from '../../harness/backlog.ts';
import { byHand } from '../../harness/contenders.ts';
import { callsOverTime } from '../../harness/rate-trial.ts';
import { type Plot, percent, type Scenario, type Table, type Target } from '../../harness/result.ts';
import { Stage } from '../../harness/stage.ts';
import { type Caller, pairs } from './callers.ts';
import { CEILING, factorAt, type Kind, kinds, LIMIT, spanOf } from './kinds.ts';
import { type Measured, measure } from './trial.ts';
import { best, type Had } from './virtual.ts';

/** Maximum difference in percentage points between a real figure and that of virtual time. */
const POINTS = 3;

interface Figures {
  readonly caller: Caller;
  /** undefined: there is no Redis on this machine. */
  readonly real: Measured | undefined;
  readonly virtual: Had;
  /** What callers that know the limit get, as a share of it. */
  readonly best: number;
  /** Load of the machine over the last minute, at the end of the trial. */
  readonly load: number;
}

interface Part {
  readonly kind: Kind;
  readonly figures: readonly Figures[];
}

export const fleet: Scenario = async (context) => {
  const { stage, quick, say } = context;
  const chosen = kinds.filter(({ name }) => context.only === undefined || name === context.only);
  const second = await Stage.start();
  const redis = findRedis();
  if (redis === undefined) say('no redis-server or valkey-server here: fleets on Redis are SKIPPED');
  const parts: Part[] = [];
  try {
    // Like the first stage, it is warmed up before anything is measured on it.
    await workOff(second, byHand(), { warmUp: 0, updates: 2_000, maxSeconds: 30 });
    for (const kind of chosen) {
      say(`${kind.name}: ${kind.title}`);
      const figures: Figures[] = [];
      for (const pair of pairs) figures.push(...(await playPair([stage, second], pair, kind, context)));
      parts.push({ kind, figures });
    }
  } finally {
    await second.close();
  }
  return {
    about:
      `APIs that accept ${LIMIT} calls a second in several ways (latency 40-60 ms), RATE_LIMIT=${CEILING} each; one caller is measured ` +
      'for 20 s (steps: 30 s) from second 20 on (noise: 40, window: 30), a fleet from 60 s after the start of its last worker. Two ' +
      'trials run at once, each on an emulator and an API of its own. "Could be had" is the best fixed rate, or a caller that follows ' +
      'the limit; "virtual" is the same in simulated time, the median of 5 seeds; "load" is that of the machine, with what else ran. ' +
      `What \`always ${LIMIT}/s\` has less than in virtual time is lost by the machine.` +
      (redis === undefined ? ' **Fleets on Redis were skipped: there is no Redis on this machine.**' : ''),
    tables: parts.map(tableOf),
    targets: parts.flatMap(targetsOf),
    plots: parts.map((part) => plotOf(part, quick)),
    figures: parts.map(({ kind, figures }) => ({
      limiter: kind.name,
      callers: figures.map(({ caller, ...rest }) => ({ caller: caller.title, ...rest })),
    })),
  };
};

async function playPair(
  stages: readonly [Stage, Stage],
  pair: readonly [Caller, Caller],
  kind: Kind,
  { quick, say }: Parameters<Scenario>[0],
): Promise<Figures[]> {
  const spans = pair.map(({ isFleet }) => spanOf(kind, isFleet, quick));
  // Before the trial: a simulation would take CPU time from the measurement.
  const simulated = pair.map((caller, i) => {
    const span = spans[i] ?? spanOf(kind, false, quick);
    // On Redis, a fleet counts as one caller.
    return { virtual: caller.virtual(kind, span), best: best(kind, caller.isFleet && !caller.redis, span) };
  });
  const measured = await Promise.all(
    pair.map((caller, i) =>
      caller.redis && findRedis() === undefined
        ? undefined
        : measure(stages[i] ?? stages[0], caller, kind, spanOf(kind, caller.isFleet, quick)),
    ),
  );
  const load = loadavg()[0] ?? 0;
  return pair.map((caller, i) => {
    const figures: Figures = {
      caller,
      real: measured[i],
      virtual: simulated[i]?.virtual ?? { goodput: Number.NaN, throttled: Number.NaN },
      best: simulated[i]?.best ?? Number.NaN,
      load,
    };
    say(rowOf(figures).join(', '));
    return figures;
  });
}

function tableOf({ kind, figures }: Part): Table {
  return {
    columns: [
      kind.title,
      'of what could be had',
      'virtual',
      'points',
      '429s',
      'virtual',
      'points',
      'Jain',
      'virtual',
      'load',
    ],
    rows: figures.map(rowOf),
  };
}

function rowOf({ caller, real, virtual, best, load }: Figures): string[] {
  const jain = (had: Had | undefined): string => had?.jain?.toFixed(2) ?? '';
  const had = (of: Had | undefined): string => (of === undefined ? 'skipped' : percent(of.goodput / best));
  return [
    caller.title,
    had(real),
    had(virtual),
    real === undefined ? '' : signed((100 * (real.goodput - virtual.goodput)) / best),
    real === undefined ? '' : percent(real.throttled),
    percent(virtual.throttled),
    real === undefined ? '' : signed(100 * (real.throttled - virtual.throttled)),
    jain(real),
    jain(virtual),
    load.toFixed(1),
  ];
}

function signed(points: number): string {
  return `${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(1)}`;
}

function targetsOf({ kind, figures }: Part): Target[] {
  return figures.flatMap(({ caller, real, virtual, best }) => {
    if (!caller.ours || real === undefined) return [];
    const had = (100 * (real.goodput - virtual.goodput)) / best;
    const throttled = 100 * (real.throttled - virtual.throttled);
    return [
      {
        claim: `${kind.name}, ${caller.title}: within ${POINTS} points of virtual time`,
        seen: `${signed(had)}; 429s ${signed(throttled)}`,
        met: Math.max(Math.abs(had), Math.abs(throttled)) <= POINTS,
      },
    ];
  });
}

function plotOf({ kind, figures }: Part, quick: boolean): Plot {
  const lines: Line[] = figures.flatMap(({ caller, real }) =>
    caller.ours && real !== undefined
      ? [{ name: caller.title, points: real.accepted.map((value, second) => ({ at: second + 0.5, value })) }]
      : [],
  );
  const span = spanOf(kind, true, quick);
  const limit = Array.from({ length: span.to }, (_, second) => ({
    at: second + 0.5,
    value: LIMIT * factorAt(kind, span, second + 0.5),
  }));
  return {
    name: `fleet-${kind.name}`,
    svg: callsOverTime(`${kind.title}: accepted`, [...lines, { name: 'limit', points: limit, dashed: true }]),
  };
}
