/** A backlog, no rate limit, an API without latency: each contender's rate, and its cost. */
import { existsSync } from 'node:fs';
import { barCharts } from '../../testing/plots/svg.ts';
import type { Backlog } from '../harness/backlog.ts';
import { bundleIn, type Contender, otaUpdater, peers, sourceIn } from '../harness/contenders.ts';
import { percent, type Scenario, type ScenarioContext, type ScenarioResult } from '../harness/result.ts';
import { pairedRatio, playRounds, ratioText, type Standing } from '../harness/rounds.ts';

export const drain: Scenario = async (context) => {
  const { stage, quick, against, rounds = quick ? 1 : 5, say } = context;
  const backlog = { warmUp: quick ? 2_000 : 5_000, updates: quick ? 5_000 : 20_000, maxSeconds: 120 };
  if (against !== undefined) return drainAgainst(against, backlog, rounds, context);
  const contenders = [otaUpdater({ RATE_LIMIT: 'unlimited' }), ...peers()];
  const standings = await playRounds(stage, contenders, rounds, backlog, say);
  const [ota, hand, ...libraries] = standings;
  if (ota === undefined || hand === undefined) throw new Error('no contender was measured');
  const best = Math.max(...libraries.map((each) => each.perSecond));
  return {
    about: `${backlog.updates} updates after ${backlog.warmUp} of warm-up, no rate limit, an API without latency, up to 100 calls in flight.`,
    tables: [table(standings, best, hand)],
    targets: [
      target('level with the best peer (98%)', ota.perSecond / best, 0.98),
      target('at least 95% of the SDK by hand', ota.perSecond / hand.perSecond, 0.95),
      {
        claim: 'CPU per update at most 1.15 times that of the SDK by hand',
        seen: (ota.cpuMicrosPerUpdate / hand.cpuMicrosPerUpdate).toFixed(2),
        met: ota.cpuMicrosPerUpdate <= 1.15 * hand.cpuMicrosPerUpdate,
      },
      {
        claim: 'at most 0.21 SQS requests per update',
        seen: ota.sqsRequestsPerUpdate.toFixed(3),
        met: ota.sqsRequestsPerUpdate <= 0.21,
      },
    ],
    plots: [{ name: 'drain', svg: bars(standings) }],
    figures: standings,
  };
};

/** This checkout and another one in turn, as source and, if both have been built, as bundles. */
async function drainAgainst(
  against: string,
  backlog: Backlog,
  rounds: number,
  { stage, say }: ScenarioContext,
): Promise<ScenarioResult> {
  const env = { RATE_LIMIT: 'unlimited' };
  const pairs: [Contender, Contender][] = [
    [otaUpdater(env, 'this source'), otaUpdater(env, 'other source', sourceIn(against))],
  ];
  if (existsSync(bundleIn()) && existsSync(bundleIn(against))) {
    pairs.push([
      otaUpdater(env, 'this bundle', bundleIn()),
      otaUpdater(env, 'other bundle', bundleIn(against)),
    ]);
  }
  const standings = await playRounds(stage, pairs.flat(), rounds, backlog, say);
  const of = ({ name }: Contender): Standing => {
    const standing = standings.find((each) => each.name === name);
    if (standing === undefined) throw new Error(`${name} was not measured`);
    return standing;
  };
  return {
    about: `This checkout against ${against}.`,
    tables: [
      table(
        standings,
        Math.max(...standings.map((each) => each.perSecond)),
        of(pairs[0]?.[1] ?? otaUpdater(env)),
      ),
    ],
    targets: pairs.flatMap(([mine, other]) => {
      const [now, before] = [of(mine), of(other)];
      const rate = pairedRatio(now.rates, before.rates);
      const cpu = pairedRatio(now.cpus, before.cpus);
      return [
        {
          claim: `${mine.name}: updates per second within 3%, round by round`,
          seen: ratioText(rate),
          met: rate.value >= 0.97,
        },
        {
          claim: `${mine.name}: CPU per update within 3%, round by round`,
          seen: ratioText(cpu),
          met: cpu.value <= 1.03,
        },
      ];
    }),
  };
}

function target(claim: string, share: number, least: number) {
  return { claim, seen: percent(share), met: share >= least };
}

function table(standings: readonly Standing[], best: number, hand: Standing) {
  return {
    columns: [
      'contender',
      'updates/s',
      'of the best peer',
      'of by hand',
      'CPU µs/update',
      'of by hand',
      'SQS requests/update',
      'peak RSS MB',
      'start to first receive ms',
      'CPU to start ms',
    ],
    rows: standings.map((each) => [
      each.name,
      each.perSecond.toFixed(0),
      percent(each.perSecond / best, 0),
      percent(each.perSecond / hand.perSecond, 0),
      each.cpuMicrosPerUpdate.toFixed(0),
      (each.cpuMicrosPerUpdate / hand.cpuMicrosPerUpdate).toFixed(2),
      each.sqsRequestsPerUpdate.toFixed(3),
      each.peakRssMb.toFixed(0),
      each.startMs.toFixed(0),
      each.startCpuMs.toFixed(0),
    ]),
  };
}

function bars(standings: readonly Standing[]): string {
  const chart = (title: string, of: (standing: Standing) => number) => ({
    title,
    bars: standings.map((each) => ({
      name: each.name,
      value: of(each),
      highlighted: each.name === 'ota-updater',
    })),
  });
  return barCharts([
    chart('updates per second', (each) => each.perSecond),
    chart('CPU per update, µs', (each) => each.cpuMicrosPerUpdate),
  ]);
}
