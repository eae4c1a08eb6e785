/** An API with a limit below RATE_LIMIT, which the worker must find. */
import { byHand, type Contender, otaUpdater } from '../harness/contenders.ts';
import { callsOverTime, limitLine, lineOf, runRateTrial } from '../harness/rate-trial.ts';
import { type Plot, percent, type Scenario, type Target } from '../harness/result.ts';
import type { Stage } from '../harness/stage.ts';
import { perSecond, seriesOf, throttledShare } from '../harness/timeline.ts';
import { followSteps, shareWithOthers } from './adaptive-others.ts';

const BURST = 20;
const LATENCY = { minMs: 50, maxMs: 50 };
/** Measuring begins here, in seconds from the first call. */
const SETTLED = 3;

interface Steady {
  readonly name: string;
  readonly limit: number;
  readonly share: number;
  readonly throttled: number;
  readonly plot: Plot;
}

export const adaptive: Scenario = async ({ stage, quick, say }) => {
  const seconds = quick ? 15 : 60;
  const steady = async (name: string, contender: Contender, limit: number, asked: number) => {
    const result = await holdLimit(stage, name, contender, limit, asked, seconds);
    say(
      `${name}: ${percent(result.share)} of the limit after ${SETTLED} s, ${percent(result.throttled, 2)} of the calls 429`,
    );
    return result;
  };
  const at200 = await steady('at-200', otaUpdater({ RATE_LIMIT: '400' }), 200, 400);
  const at500 = await steady('at-500', otaUpdater({ RATE_LIMIT: '1000' }), 500, 1_000);
  const below = await steady('below-limit', otaUpdater({ RATE_LIMIT: '180' }), 200, 180);
  const fixed = await steady('bottleneck-fixed', byHand(400), 200, 400);
  const steps = await followSteps(stage, quick);
  say(`steps: ${steps.targets.map(({ seen }) => seen).join('; ')}`);
  const others = await shareWithOthers(stage, quick);
  say(`others: ${others.targets.map(({ seen }) => seen).join('; ')}`);
  const row = (label: string, { limit, share, throttled }: Steady): string[] => [
    label,
    `${limit}/s`,
    percent(share),
    percent(throttled, 2),
  ];
  return {
    about: `An API that accepts so many calls a second (burst ${BURST}, 50 ms) and answers 429 beyond it, for ${seconds} s from the first call.`,
    tables: [
      {
        columns: [
          'caller',
          "the API's limit",
          `accepted, of the limit, after ${SETTLED} s`,
          '429s, of all calls',
        ],
        rows: [
          row('ota-updater, RATE_LIMIT=400', at200),
          row('ota-updater, RATE_LIMIT=1000', at500),
          row('ota-updater, RATE_LIMIT=180', below),
          row('SDK by hand + Bottleneck at 400/s + p-retry', fixed),
        ],
      },
      ...others.tables,
    ],
    targets: [
      ...holds(at200),
      ...holds(at500),
      {
        claim: 'RATE_LIMIT at 90% of the limit: at most 0.1% of calls answered 429',
        seen: percent(below.throttled, 2),
        met: below.throttled <= 0.001,
      },
      ...steps.targets,
      ...others.targets,
    ],
    plots: [at200.plot, fixed.plot, ...steps.plots, ...others.plots],
  };
};

function holds({ limit, share, throttled }: Steady): Target[] {
  return [
    {
      claim: `${limit}/s: at least 97% of the limit after the first ${SETTLED} s`,
      seen: percent(share),
      met: share >= 0.97,
    },
    {
      claim: `${limit}/s: at most 2% of calls answered 429`,
      seen: percent(throttled, 2),
      met: throttled <= 0.02,
    },
  ];
}

async function holdLimit(
  stage: Stage,
  name: string,
  contender: Contender,
  limit: number,
  asked: number,
  seconds: number,
): Promise<Steady> {
  const { timeline, zero } = await runRateTrial(stage, {
    api: { limit: { ratePerSecond: limit, burst: BURST }, latency: LATENCY },
    callers: [{ contender, prefix: 'task', messages: Math.min(asked, limit) * (seconds + 3) + 500 }],
    seconds: seconds + 0.5,
  });
  const all = seriesOf(timeline);
  const line = (label: string, buckets: readonly number[]) => lineOf(label, buckets, zero, seconds);
  const svg = callsOverTime(`${contender.name}, asked for ${asked}/s at an API that accepts ${limit}/s`, [
    line('accepted', all.accepted),
    line('answered 429', all.throttled),
    limitLine(limit, seconds),
  ]);
  return {
    name,
    limit,
    share: perSecond(all.accepted, zero + SETTLED, zero + seconds) / limit,
    throttled: throttledShare(all, zero, zero + seconds),
    plot: { name: `adaptive-${name}`, svg },
  };
}
