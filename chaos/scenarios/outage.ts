import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from './scenario.ts';
import { ScenarioRun, secondsSince } from './scenario-run.ts';

const MESSAGES = 500;
const MINUTES = 3;
const BACK_WITHIN_S = 60;
/** 20 failures in a row to detect the outage, plus the calls in flight then, and one probe per 5 s. */
const CALLS_AT_MOST = 150 + (MINUTES * 60) / 5;

export const outage: Scenario = {
  about: `the API down for ${MINUTES} minutes, ${MESSAGES} messages queued, RATE_LIMIT=50: none dead-lettered, all applied within ${BACK_WITHIN_S} s of its return, few calls`,
  run: (options) =>
    ScenarioRun.start(
      {
        ...options,
        stage: { api: { down: true, latency: { minMs: 5, maxMs: 50 } } },
        env: { RATE_LIMIT: '50' },
      },
      async (run) => {
        const { stage } = run;
        await run.send(MESSAGES);
        await run.start();
        await sleep(MINUTES * 60_000);
        const calls = stage.api.stats().calls;
        stage.api.configure({ down: false });
        const backAt = performance.now();
        run.say('  the API is back');
        await run.until(
          'all have left the queue',
          async () => (await stage.left()).all === 0,
          3 * BACK_WITHIN_S,
        );
        const seconds = secondsSince(backAt);
        const { entries, byReason, missing } = await run.account();
        const applied = entries.filter((entry) => entry.applied.length > 0).length;
        const dead = Object.values(byReason).reduce((sum, n) => sum + n, 0);
        run.expect(dead === 0, 'none is dead-lettered');
        run.expect(applied === MESSAGES && missing.length === 0, 'all are applied');
        run.expect(Number(seconds) <= BACK_WITHIN_S, `all are applied within ${BACK_WITHIN_S} s`);
        run.expect(calls <= CALLS_AT_MOST, `at most ${CALLS_AT_MOST} calls while it is down`);
        return `${calls} calls in ${MINUTES} minutes of outage, ${dead} dead-lettered, ${applied} of ${MESSAGES} applied ${seconds} s after its return`;
      },
    ),
};
