/** A fixed rate, fast and slow: how exactly it is kept, and what it costs in SQS requests. */
import { byHand, otaUpdater, peers, sqsConsumer, squiss } from '../harness/contenders.ts';
import { percent, type Scenario, type Table } from '../harness/result.ts';
import { playRounds, type Standing } from '../harness/rounds.ts';

export const rate1500: Scenario = async ({ stage, quick, say }) => {
  const rate = 1_500;
  const updates = rate * (quick ? 4 : 12);
  const backlog = { warmUp: rate * 2, updates, maxSeconds: quick ? 30 : 90 };
  const contenders = [
    otaUpdater({ RATE_LIMIT: String(rate) }),
    byHand(rate),
    sqsConsumer(10, rate),
    squiss(rate),
  ];
  const standings = await playRounds(stage, contenders, quick ? 1 : 2, backlog, say);
  const share = (standings[0]?.perSecond ?? 0) / rate;
  return {
    about: `RATE_LIMIT=${rate} over ${updates} updates, an API without limit or latency; the peers with one Bottleneck job per call.`,
    tables: [rateTable(standings, rate)],
    targets: [{ claim: 'at least 98% of the rate', seen: percent(share), met: share >= 0.98 }],
    figures: standings,
  };
};

export const throttled50: Scenario = async ({ stage, quick, say }) => {
  const rate = 50;
  const updates = rate * (quick ? 8 : 40);
  const backlog = { warmUp: rate * 2, updates, maxSeconds: quick ? 40 : 90 };
  const contenders = [otaUpdater({ RATE_LIMIT: String(rate) }), ...peers(rate)];
  const standings = await playRounds(stage, contenders, 1, backlog, say);
  const requests = standings[0]?.sqsRequestsPerUpdate ?? Number.NaN;
  return {
    about: `RATE_LIMIT=${rate} over ${updates} updates: receives, deletes and visibility changes per update, those of the end included.`,
    tables: [rateTable(standings, rate)],
    targets: [
      { claim: 'at most 0.21 SQS requests per update', seen: requests.toFixed(3), met: requests <= 0.21 },
    ],
    figures: standings,
  };
};

function rateTable(standings: readonly Standing[], rate: number): Table {
  return {
    columns: ['contender', 'updates/s', 'of the rate', 'SQS requests/update', 'CPU µs/update'],
    rows: standings.map((each) => [
      each.name,
      each.perSecond.toFixed(1),
      percent(each.perSecond / rate),
      each.sqsRequestsPerUpdate.toFixed(3),
      each.cpuMicrosPerUpdate.toFixed(0),
    ]),
  };
}
