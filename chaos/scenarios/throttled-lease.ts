import { holdsOf, inTwoHands } from '../harness/holds.ts';
import { Play, secondsSince } from './play.ts';
import type { Scenario } from './scenario.ts';

const MESSAGES = 30;
const LEASE_SECONDS = 5;

export const throttledLease: Scenario = {
  about: `${MESSAGES} messages in hand, the API's limit falls to 1/s, leases of ${LEASE_SECONDS} s, a second worker watching: each applied once, none in two hands`,
  run: (options) =>
    Play.on(
      {
        ...options,
        stage: { api: { limit: { ratePerSecond: 1, burst: 1 } } },
        env: { VISIBILITY_TIMEOUT_SECONDS: String(LEASE_SECONDS), RATE_LIMIT: '100' },
      },
      async (play) => {
        const { stage, fleet } = play;
        await play.start();
        await play.send(MESSAGES);
        await play.until('all are in hand', async () => (await stage.left()).visible === 0, 10);
        const startedAt = performance.now();
        await play.start();
        await play.until('all have left the queue', async () => (await stage.left()).all === 0, 120);
        const seconds = secondsSince(startedAt);
        const holds = holdsOf(stage.sqsExchanges, stage.queue, LEASE_SECONDS);
        const twoHands = inTwoHands(holds, fleet);
        const { entries, appliedMoreThanOnce, missing, byReason } = await play.account();
        const once = entries.filter(({ applied }) => applied.length === 1).length;
        play.expect(once === MESSAGES, 'each is applied exactly once');
        play.expect(twoHands === 0, 'none is in two hands at a time');
        play.expect(fleet.leasesLost.size === 0, 'no lease is lost');
        play.expect(
          missing.length === 0 && Object.keys(byReason).length === 0,
          'none is missing or dead-lettered',
        );
        const { throttled } = stage.api.stats();
        return `${once} of ${MESSAGES} applied once in ${seconds} s, ${appliedMoreThanOnce.length} more than once, ${twoHands} in two hands, ${fleet.leasesLost.size} leases lost, ${holds.length - MESSAGES} handed over, ${throttled} calls throttled`;
      },
    ),
};
