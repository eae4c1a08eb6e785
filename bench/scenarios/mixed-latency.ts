/** Most calls are quick, some slow: a consumer that waits for the slowest call of a batch leaves slots empty. */
import { byHand, otaUpdater, sqsConsumer, squiss } from '../harness/contenders.ts';
import { percent, type Scenario } from '../harness/result.ts';
import { playRounds } from '../harness/rounds.ts';

const latency = [
  { weight: 9, minMs: 20, maxMs: 80 },
  { weight: 1, minMs: 500, maxMs: 1_500 },
];
const IN_FLIGHT = 100;
const MEAN_MS = 0.9 * 50 + 0.1 * 1_000;
/** With all slots in use all the time. */
const CEILING = (IN_FLIGHT * 1_000) / MEAN_MS;

export const mixedLatency: Scenario = async ({ stage, quick, say }) => {
  const updates = Math.round(CEILING * (quick ? 8 : 20));
  const backlog = {
    warmUp: Math.round(CEILING * 3),
    updates,
    api: { latency },
    maxSeconds: quick ? 60 : 240,
  };
  const contenders = [otaUpdater({ RATE_LIMIT: 'unlimited' }), byHand(), sqsConsumer(10), squiss()];
  const standings = await playRounds(stage, contenders, quick ? 1 : 2, backlog, say);
  const share = (standings[0]?.perSecond ?? 0) / CEILING;
  return {
    about: `${updates} updates, 90% of the calls take 20-80 ms and 10% take 0.5-1.5 s, ${IN_FLIGHT} in flight: at most ${CEILING.toFixed(0)} per second.`,
    tables: [
      {
        columns: ['contender', 'updates/s', 'of the ceiling', 'CPU µs/update', 'SQS requests/update'],
        rows: standings.map((each) => [
          each.name,
          each.perSecond.toFixed(0),
          percent(each.perSecond / CEILING),
          each.cpuMicrosPerUpdate.toFixed(0),
          each.sqsRequestsPerUpdate.toFixed(3),
        ]),
      },
    ],
    targets: [{ claim: 'at least 95% of the ceiling', seen: percent(share), met: share >= 0.95 }],
    figures: standings,
  };
};
