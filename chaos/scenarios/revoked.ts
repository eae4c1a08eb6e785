import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from './scenario.ts';
import { ScenarioRun, secondsSince } from './scenario-run.ts';

const MESSAGES = 1_000;
const REVOKED_S = 60;
const DENIED = 30;
/** Probes may be up to a minute apart. */
const BACK_WITHIN_S = 90;

export const revoked: Scenario = {
  about: `403 to all for ${REVOKED_S} s, ${MESSAGES} queued: none dead-lettered, all applied once restored; then ${DENIED} among ${MESSAGES} denied by tag: those alone dead-lettered, no pause`,
  run: (options) =>
    ScenarioRun.start(
      { ...options, stage: { api: { denied: 'all' } }, env: { RATE_LIMIT: '200' } },
      async (run) => {
        const { stage, fleet } = run;
        await run.send(MESSAGES);
        await run.start();
        await sleep(REVOKED_S * 1_000);
        const calls = stage.api.stats().calls;
        stage.api.configure({ denied: { prefix: 'denied' } });
        const restoredAt = performance.now();
        run.say('  the policy is restored');
        await run.until('all have left the queue', async () => (await stage.left()).all === 0, BACK_WITHIN_S);
        const seconds = secondsSince(restoredAt);
        const first = await run.account();
        const applied = first.entries.filter((entry) => entry.applied.length > 0).length;
        run.expect(Object.keys(first.byReason).length === 0, 'a revoked policy dead-letters nothing');
        run.expect(applied === MESSAGES, 'all are applied once the policy is restored');

        const pauses = fleet.events.get('gate.denied') ?? 0;
        const places = new Set<number>();
        while (places.size < DENIED) places.add(Math.floor(run.random() * MESSAGES));
        const sentAt = performance.now();
        const second = await run.send(MESSAGES, (place) => (places.has(place) ? 'denied' : 'task'));
        await run.until('all have left the queue again', async () => (await stage.left()).all === 0, 60);
        const secondsForDenied = secondsSince(sentAt);
        const ids = new Set(second.map(({ id }) => id));
        const entries = (await run.account()).entries.filter(({ update }) => ids.has(update.id));
        const dead = entries.filter(({ letters }) => letters.length > 0);
        const right = dead.every(
          ({ update, letters }) => update.identifier.startsWith('denied') && letters[0] === 'Rejected',
        );
        const others = entries.filter((entry) => entry.applied.length > 0).length;
        const pausesNow = (fleet.events.get('gate.denied') ?? 0) - pauses;
        run.expect(
          dead.length === DENIED && right,
          'those denied, and no others, are dead-lettered as Rejected',
        );
        run.expect(others === MESSAGES - DENIED, 'the rest is applied');
        run.expect(pausesNow === 0, 'a few that are denied pause nothing');
        return `revoked: ${calls} calls, 0 dead letters, ${applied} of ${MESSAGES} applied ${seconds} s after it was restored; by tag: ${dead.length} dead-lettered, ${others} applied, ${pausesNow} pauses, ${secondsForDenied} s`;
      },
    ),
};
