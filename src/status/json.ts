/** What `status --json` prints: one object. PURE. */
import { jsonLine } from '../text/printable.ts';
import type { CommandLine } from '../text/shell.ts';
import type { Status } from './status.ts';

/** @param letters the result of a pass over the dead-letter queue, if one was requested. */
export function statusJson(
  { now, verdict, totals, queues, backlog, drain, workers, problems, next }: Status,
  commandLine: CommandLine,
  letters?: object,
): string {
  return jsonLine({
    at: new Date(now).toISOString(),
    state: verdict.state,
    sentence: verdict.sentence,
    backlog: backlog ?? null,
    secondsToDrain: 'seconds' in drain ? drain.seconds : null,
    queues: {
      source: queues.source ?? null,
      deadLetter: queues.deadLetter ?? null,
      outcome: queues.outcome ?? null,
    },
    totals,
    workers: workers.map((worker) =>
      worker.ok
        ? { where: worker.where, ok: true, status: worker.status }
        : { where: worker.where, ok: false, why: worker.why },
    ),
    problems,
    next: next === undefined ? null : commandLine(...next),
    ...(letters !== undefined && { letters }),
  });
}
