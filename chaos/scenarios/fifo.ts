import { setTimeout as sleep } from 'node:timers/promises';
import { evenRates } from '../../testing/faults/faults.ts';
import { orderViolations } from '../../testing/sqs/order.ts';
import { noFaults } from '../harness/stage.ts';
import type { SentUpdate } from '../harness/updates.ts';
import type { Scenario } from './scenario.ts';
import { ScenarioRun, secondsSince } from './scenario-run.ts';

const GROUPS = 200;
const EACH = 50;

export const fifo: Scenario = {
  about: `${GROUPS} groups of ${EACH}, 5% of the calls failing, two workers, one killed: in every group the order is kept`,
  run: (options) =>
    ScenarioRun.start(
      {
        ...options,
        stage: { fifo: true, api: { latency: { minMs: 1, maxMs: 20 } } },
        env: {
          RATE_LIMIT: '500',
          VISIBILITY_TIMEOUT_SECONDS: '5',
          RETRY_BASE_MS: '20',
          MAX_DELIVERIES: '20',
        },
      },
      async (run) => {
        const { stage, fleet } = run;
        const startedAt = performance.now();
        for (let round = 0; round < EACH; round++) {
          for (let group = 0; group < GROUPS; group++) {
            const place = round * GROUPS + group;
            const update = updateOf(`u${String(place).padStart(6, '0')}`, place, `task${group}`);
            run.sent.push(update);
          }
        }
        await stage.send(run.sent);
        stage.inject({ ...noFaults, api: evenRates(0.05) });
        const [, second] = await run.start(2);
        await run.until('a third is applied', () => stage.applied.length > run.sent.length / 3, 120);
        if (second !== undefined) await fleet.kill(second);
        run.say('  a worker is killed');
        await sleep(1_000);
        await run.start();
        await run.until('all have left the queue', async () => (await stage.left()).all === 0, 300);
        const { entries, missing, byReason, appliedMoreThanOnce } = await run.account();
        const violations = orderViolations(
          run.sent.map(({ identifier, fields }) => ({
            group: identifier,
            value: fields.Description ?? '',
            mayBeMissing: true,
          })),
          stage.applied.map(({ identifier, fields }) => ({
            group: identifier,
            value: fields.Description ?? '',
          })),
        );
        const applied = entries.filter((entry) => entry.applied.length > 0).length;
        run.expect(violations.length === 0, `the order is kept: ${JSON.stringify(violations.slice(0, 5))}`);
        run.expect(missing.length === 0, 'none is missing');
        return `${applied} of ${run.sent.length} applied in ${secondsSince(startedAt)} s, ${appliedMoreThanOnce.length} more than once, dead letters ${JSON.stringify(byReason)}, ${violations.length} order violations`;
      },
    ),
};

function updateOf(id: string, place: number, identifier: string): SentUpdate {
  const fields = { Description: `scenario ${id}` };
  const body = JSON.stringify({ Identifier: identifier, ...fields, RequestId: id });
  return { id, place, identifier, fields, expectedEnd: 'applied', body, groupId: identifier };
}
