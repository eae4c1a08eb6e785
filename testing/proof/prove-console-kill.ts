/** A console is killed while it puts letters back. The next one puts back what the killed one held, when it is visible again. */

import { setTimeout as sleep } from 'node:timers/promises';
import { createSqsClient } from '../../src/queue/client.ts';
import { Queue } from '../../src/queue/queue.ts';
import { addLetters } from '../letters.ts';
import { get, withConsole } from './console.ts';

export interface KillProof {
  readonly letters: number;
  /** Number put back when the console was killed. */
  readonly before: number;
  /** The end, as reported by the page. */
  readonly report: unknown;
  /** Letters whose update was applied. */
  readonly applied: number;
  readonly leftOnQueue: number;
  readonly seconds: number;
}

const LETTERS = 60;
const LOOK_MS = 500;

export async function proveKill(say: (line: string) => void): Promise<KillProof> {
  return await withConsole(100, async ({ cloud, processes, startConsole }) => {
    const client = createSqsClient(4, { ...cloud.client, endpoint: cloud.sqsUrl });
    try {
      const dead = new Queue(client, cloud.deadLetterQueueUrl);
      await addLetters(dead, cloud.queueUrl, LETTERS, 'late');
      processes.start('worker');
      const startedAt = performance.now();
      const first = await startConsole();
      const api = async (path: string, body?: object) =>
        JSON.parse(await get(`${first.url}/api/v1${path}`, body));
      const until = async <T>(look: () => Promise<T>, good: (seen: T) => boolean): Promise<T> => {
        for (;;) {
          const seen = await look();
          if (good(seen)) return seen;
          await sleep(LOOK_MS);
        }
      };
      const seen = await until(
        () => api('/dead-letters'),
        ({ doing, look }) => doing.what === 'nothing' && look?.groups.length === 1,
      );
      const wanted = { action: 'redrive', group: seen.look.groups[0].group, rate: 3 };
      const { change } = await api('/dead-letters/changes', wanted);
      const changed = () => api(`/dead-letters/changes/${change}`);
      await until(changed, ({ state }) => state === 'planned');
      await api(`/dead-letters/changes/${change}/confirm`, {});
      const { sent } = await until(changed, (one) => one.sent >= 10);
      await first.child.end('SIGKILL');
      say(`killed with ${sent} of ${LETTERS} letters put back`);
      await startConsole();
      const last = { state: '' };
      const ended = await until(changed, ({ state }) => {
        if (state !== last.state) say(`the next one: ${state}`);
        last.state = state;
        return state === 'ended';
      });
      const { visible = 0, notVisible = 0 } = await dead.attributes();
      return {
        letters: LETTERS,
        before: sent,
        report: ended.report,
        applied: cloud.api.stats().applied,
        leftOnQueue: visible + notVisible,
        seconds: Math.round((performance.now() - startedAt) / 1_000),
      };
    } finally {
      client.destroy();
    }
  });
}
