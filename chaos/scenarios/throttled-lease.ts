import { heldByTwo, holdsOf } from '../harness/holds.ts';
import type { Scenario } from './scenario.ts';
import { ScenarioRun, secondsSince } from './scenario-run.ts';

const MESSAGES = 30;
const LEASE_SECONDS = 5;

export const throttledLease: Scenario = {
  about: `${MESSAGES} messages held, the API's limit falls to 1/s, leases of ${LEASE_SECONDS} s, a second worker beside it: each applied once, none held by two workers at once`,
  run: (options) =>
    ScenarioRun.start(
      {
        ...options,
        stage: { api: { limit: { ratePerSecond: 1, burst: 1 } } },
        env: { VISIBILITY_TIMEOUT_SECONDS: String(LEASE_SECONDS), RATE_LIMIT: '100' },
      },
      async (run) => {
        const { stage, fleet } = run;
        await run.start();
        await run.send(MESSAGES);
        await run.until('all are held', async () => (await stage.left()).visible === 0, 10);
        const startedAt = performance.now();
        await run.start();
        await run.until('all have left the queue', async () => (await stage.left()).all === 0, 120);
        const seconds = secondsSince(startedAt);
        const holds = holdsOf(stage.sqsExchanges, stage.queue, LEASE_SECONDS);
        const twice = heldByTwo(holds, fleet);
        const { entries, appliedMoreThanOnce, missing, byReason } = await run.account();
        const once = entries.filter(({ applied }) => applied.length === 1).length;
        run.expect(once === MESSAGES, 'each is applied exactly once');
        run.expect(twice === 0, 'none is held by two workers at once');
        run.expect(fleet.leasesLost.size === 0, 'no lease is lost');
        run.expect(
          missing.length === 0 && Object.keys(byReason).length === 0,
          'none is missing or dead-lettered',
        );
        const { throttled } = stage.api.stats();
        return `${once} of ${MESSAGES} applied once in ${seconds} s, ${appliedMoreThanOnce.length} more than once, ${twice} held by two workers, ${fleet.leasesLost.size} leases lost, ${holds.length - MESSAGES} handed over, ${throttled} calls throttled`;
      },
    ),
};
