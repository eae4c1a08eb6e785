import { setTimeout as sleep } from 'node:timers/promises';
import { noFaults } from '../harness/stage.ts';
import type { Scenario } from './scenario.ts';
import { ScenarioRun, secondsSince } from './scenario-run.ts';

const MESSAGES = 500;
const DOWN_S = 30;
/** Backoff rises to 20 s for receives and to 5 s for settlements; a busy loop would make thousands of requests. */
const REQUESTS_AT_MOST = 300;

export const sqsDown: Scenario = {
  about: `SQS away for ${DOWN_S} s under load: no busy loop, /readyz false, recovery by itself`,
  run: (options) =>
    ScenarioRun.start(
      { ...options, env: { RATE_LIMIT: '50', VISIBILITY_TIMEOUT_SECONDS: '10' } },
      async (run) => {
        const { stage } = run;
        await run.send(MESSAGES);
        const [worker] = await run.start();
        if (worker === undefined) return 'no worker';
        await run.until('a third is applied', () => stage.applied.length > MESSAGES / 3, 60);
        stage.inject({ ...noFaults, sqs: { refuse: 1 } });
        await stage.sqsProxy.cut(0);
        run.say('  SQS is away');
        await run.until('/readyz is false', async () => !(await run.ready(worker)), 10);
        await sleep(DOWN_S * 1_000);
        const refused = stage.sqsProxy.counts.of('refuse');
        const stillNotReady = !(await run.ready(worker));
        stage.inject(noFaults);
        const backAt = performance.now();
        run.say('  SQS is back');
        await run.until('/readyz is true', () => run.ready(worker), 30);
        const readyAfter = secondsSince(backAt);
        await run.until('all have left the queue', async () => (await stage.left()).all === 0, 60);
        const { entries, missing, byReason } = await run.account();
        const applied = entries.filter((entry) => entry.applied.length > 0).length;
        run.expect(stillNotReady, '/readyz is false while SQS is away');
        run.expect(refused <= REQUESTS_AT_MOST, `at most ${REQUESTS_AT_MOST} requests while SQS is away`);
        run.expect(applied === MESSAGES && missing.length === 0, 'all are applied');
        run.expect(Object.keys(byReason).length === 0, 'none is dead-lettered');
        return `${refused} connections refused in ${DOWN_S} s, ready again after ${readyAfter} s, ${applied} of ${MESSAGES} applied, done after ${secondsSince(backAt)} s`;
      },
    ),
};
