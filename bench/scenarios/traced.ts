/**
 * The cost of traces: the backlog of `drain`, worked off without traces, with 1% of the traces sampled, and with all.
 */
import type { Backlog } from '../harness/backlog.ts';
import { startCollector } from '../harness/collector.ts';
import { otaUpdater, sourceIn } from '../harness/contenders.ts';
import { percent, type Scenario, type ScenarioContext, type ScenarioResult } from '../harness/result.ts';
import { pairedRatio, playRounds, ratioText, type Standing } from '../harness/rounds.ts';

/** Maximum loss of updates per second, as a share; the same for CPU. */
const MOST_OFF = 0.01;
const MOST_ON = 0.1;

export const traced: Scenario = async (context) => {
  const { stage, quick, against, rounds = quick ? 1 : 7, say } = context;
  const backlog = { warmUp: quick ? 2_000 : 5_000, updates: quick ? 5_000 : 20_000, maxSeconds: 120 };
  if (against !== undefined) return offAgainst(against, backlog, rounds, context);
  const collector = await startCollector();
  const env = { RATE_LIMIT: 'unlimited' };
  const on = (share: string) => ({
    ...env,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: share,
  });
  const contenders = [
    otaUpdater(env, 'not traced'),
    otaUpdater(on('0.01'), '1% of the traces'),
    otaUpdater(on('1'), 'all traces'),
  ];
  try {
    const standings = await playRounds(stage, contenders, rounds, backlog, say);
    const [off, some] = standings;
    if (off === undefined || some === undefined) throw new Error('no contender was measured');
    if (collector.requests === 0) throw new Error('the collector got no spans');
    return {
      about: `The backlog of drain, ${rounds} rounds; spans to a collector that takes everything.`,
      tables: [table(standings, off)],
      targets: targets('1% of the traces', some, off, MOST_ON),
      figures: standings,
    };
  } finally {
    collector.close();
  }
};

/** The cost of the mere possibility of traces: this checkout compared with one without them. */
async function offAgainst(
  against: string,
  backlog: Backlog,
  rounds: number,
  { stage, say }: ScenarioContext,
): Promise<ScenarioResult> {
  const env = { RATE_LIMIT: 'unlimited' };
  const contenders = [otaUpdater(env, 'not traced'), otaUpdater(env, 'other source', sourceIn(against))];
  const standings = await playRounds(stage, contenders, rounds, backlog, say);
  const [off, other] = standings;
  if (off === undefined || other === undefined) throw new Error('no contender was measured');
  return {
    about: `This checkout against ${against}.`,
    tables: [table(standings, other)],
    targets: targets('not traced', off, other, MOST_OFF),
  };
}

function targets(name: string, one: Standing, other: Standing, most: number) {
  const rate = pairedRatio(one.rates, other.rates);
  const cpu = pairedRatio(one.cpus, other.cpus);
  return [
    {
      claim: `${name}: updates per second at most ${percent(most, 0)} less, round by round`,
      seen: ratioText(rate),
      met: rate.value >= 1 - most,
    },
    {
      claim: `${name}: CPU per update at most ${percent(most, 0)} more, round by round`,
      seen: ratioText(cpu),
      met: cpu.value <= 1 + most,
    },
  ];
}

function table(standings: readonly Standing[], base: Standing) {
  return {
    columns: ['contender', 'updates/s', 'of the base', 'CPU µs/update', 'of the base', 'peak RSS MB'],
    rows: standings.map((each) => [
      each.name,
      each.perSecond.toFixed(0),
      percent(pairedRatio(each.rates, base.rates).value),
      each.cpuMicrosPerUpdate.toFixed(0),
      percent(pairedRatio(each.cpus, base.cpus).value),
      each.peakRssMb.toFixed(0),
    ]),
  };
}
