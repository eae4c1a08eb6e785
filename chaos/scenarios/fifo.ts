import { setTimeout as sleep } from 'node:timers/promises';
import { evenRates } from '../../testing/faults/faults.ts';
import { orderViolations } from '../../testing/sqs/order.ts';
import { noFaults } from '../harness/stage.ts';
import type { SentUpdate } from '../harness/updates.ts';
import { Play, secondsSince } from './play.ts';
import type { Scenario } from './scenario.ts';

const GROUPS = 200;
const EACH = 50;

export const fifo: Scenario = {
  about: `${GROUPS} groups of ${EACH}, 5% of the calls failing, two workers, one killed: in every group the order is kept`,
  run: (options) =>
    Play.on(
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
      async (play) => {
        const { stage, fleet } = play;
        const startedAt = performance.now();
        for (let round = 0; round < EACH; round++) {
          for (let group = 0; group < GROUPS; group++) {
            const place = round * GROUPS + group;
            const update = updateOf(`u${String(place).padStart(6, '0')}`, place, `task${group}`);
            play.sent.push(update);
          }
        }
        await stage.send(play.sent);
        stage.inject({ ...noFaults, api: evenRates(0.05) });
        const [, second] = await play.start(2);
        await play.until('a third is applied', () => stage.applied.length > play.sent.length / 3, 120);
        if (second !== undefined) await fleet.kill(second);
        play.say('  a worker is killed');
        await sleep(1_000);
        await play.start();
        await play.until('all have left the queue', async () => (await stage.left()).all === 0, 300);
        const { entries, missing, byReason, appliedMoreThanOnce } = await play.account();
        const violations = orderViolations(
          play.sent.map(({ identifier, fields }) => ({
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
        play.expect(violations.length === 0, `the order is kept: ${JSON.stringify(violations.slice(0, 5))}`);
        play.expect(missing.length === 0, 'none is missing');
        return `${applied} of ${play.sent.length} applied in ${secondsSince(startedAt)} s, ${appliedMoreThanOnce.length} more than once, dead letters ${JSON.stringify(byReason)}, ${violations.length} order violations`;
      },
    ),
};

function updateOf(id: string, place: number, identifier: string): SentUpdate {
  const fields = { Description: `scenario ${id}` };
  const body = JSON.stringify({ Identifier: identifier, ...fields, RequestId: id });
  return { id, place, identifier, fields, fate: 'applied', body, groupId: identifier };
}
