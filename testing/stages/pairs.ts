/**
 * Newest wins, by pairs: two updates for each task, with partly overlapping fields, of which the newer must win.
 */
import { randomUUID } from 'node:crypto';
import { claimDurationMs } from '../../src/ota/newest/newest.ts';
import { RedisNewest } from '../../src/ota/newest/newest-redis.ts';
import type { Stage } from './stage.ts';

export interface PairsReport {
  readonly pairs: number;
  readonly superseded: number;
  /** Updates applied without the fields that had newer values. */
  readonly inPart: number;
  /** Calls without an answer: they may take effect after their successor, which no promise excludes. */
  readonly unanswered: number;
  /** Tasks that ended with a value other than the newest: must be none. */
  readonly old: readonly string[];
}

type Fields = readonly ('Description' | 'TaskConfigurationId')[];

/** Fields of the older and of the newer update, in rotation: the same, one more, one less, and others. */
const shapes: readonly { readonly older: Fields; readonly newer: Fields }[] = [
  { older: ['Description'], newer: ['Description'] },
  { older: ['Description', 'TaskConfigurationId'], newer: ['Description'] },
  { older: ['TaskConfigurationId'], newer: ['Description', 'TaskConfigurationId'] },
  { older: ['Description', 'TaskConfigurationId'], newer: ['TaskConfigurationId'] },
  { older: ['Description', 'TaskConfigurationId'], newer: ['Description', 'TaskConfigurationId'] },
  { older: ['Description'], newer: ['TaskConfigurationId'] },
];

const shapeOf = (pair: number) => shapes[pair % shapes.length] ?? { older: [], newer: [] };

function updateOf(pair: number, age: 'older' | 'newer', issuedAt: number): object {
  const fields = shapeOf(pair)[age].map((field) => [field, age]);
  return {
    Identifier: `task${pair}`,
    ...Object.fromEntries(fields),
    IssuedAt: new Date(issuedAt).toISOString(),
  };
}

/** The newer updates are all settled before the older ones are sent. */
export async function newerSettledFirst(stage: Stage, pairs: number): Promise<PairsReport> {
  const issuedAt = Date.now();
  const all = Array.from({ length: pairs }, (_, i) => i);
  await stage.worker.start();
  await stage.send(...all.map((i) => updateOf(i, 'newer', issuedAt)));
  await stage.ended(pairs);
  await stage.send(...all.map((i) => updateOf(i, 'older', issuedAt - 1)));
  await stage.ended(2 * pairs);
  return reportOf(stage, pairs);
}

/** Both are sent together, in any order, to two workers. */
export async function sentTogether(stage: Stage, pairs: number, random: () => number): Promise<PairsReport> {
  const issuedAt = Date.now();
  const bodies = Array.from({ length: 2 * pairs }, (_, i) =>
    i % 2 === 0 ? updateOf(i / 2, 'newer', issuedAt) : updateOf((i - 1) / 2, 'older', issuedAt - 1),
  );
  // Shuffled: otherwise both of a pair come with one receive, to one worker.
  for (let i = bodies.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [bodies[i], bodies[j]] = [bodies[j] ?? {}, bodies[i] ?? {}];
  }
  const other = stage.makeWorker();
  try {
    await Promise.all([stage.worker.start(), other.start()]);
    await stage.send(...bodies);
    await stage.ended(2 * pairs);
  } finally {
    await other.stop();
  }
  return reportOf(stage, pairs);
}

function reportOf(stage: Stage, pairs: number): PairsReport {
  const acknowledged = stage.settled('acknowledge');
  const superseded = acknowledged.filter(
    ({ disposition }) => disposition.action === 'acknowledge' && disposition.outcome === 'superseded',
  ).length;
  const inPart = acknowledged.filter((event) => event.superseded !== undefined).length - superseded;
  const unanswered = stage.events.filter(
    (event) => event.type === 'attempt' && event.failure !== undefined && event.failure.status === undefined,
  ).length;
  const old: string[] = [];
  for (let i = 0; i < pairs; i++) {
    const { older, newer } = shapeOf(i);
    const task = stage.api.task(`task${i}`);
    const wrong = [...older, ...newer].some(
      (field) => task?.[field] !== (newer.includes(field) ? 'newer' : 'older'),
    );
    if (wrong) old.push(`task${i}`);
  }
  return { pairs, superseded, inPart, unanswered, old };
}

/** Long, because a call that is aborted may still take effect, after its successor. */
const CALL_TIMEOUT_MS = 20_000;

/** Settings of the stage: calls slow enough that two workers overlap, and none that is aborted. */
export const pairsStage = {
  api: { latency: { minMs: 1, maxMs: 20 } },
  env: { CALL_TIMEOUT_MS: String(CALL_TIMEOUT_MS) },
};

/** A memory on Redis for each worker of a stage. */
export function sharedNewest(
  url: string,
  onShared: (shared: boolean) => void = () => {},
  claimMs = claimDurationMs(CALL_TIMEOUT_MS),
): () => RedisNewest {
  return () =>
    new RedisNewest({
      url,
      workerId: randomUUID(),
      claimMs,
      unansweredMs: CALL_TIMEOUT_MS,
      longestClaimMs: claimDurationMs(CALL_TIMEOUT_MS),
      now: Date.now,
      onShared,
      onForeign: () => {},
    });
}
