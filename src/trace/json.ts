/** The output of `trace --json`: one object. PURE. */
import { jsonLine } from '../text/printable.ts';
import type { Trace } from './trace.ts';
import type { KnownUpdate } from './updates.ts';

export function traceJson({ identifier, task, updates, sources }: Trace): string {
  return jsonLine({
    identifier,
    task:
      task === undefined || task === 'gone'
        ? null
        : {
            Status: task.Status ?? null,
            Description: task.Description ?? null,
            TaskConfigurationId: task.TaskConfigurationId ?? null,
            LastUpdatedAt: task.LastUpdatedAt?.toISOString() ?? null,
          },
    gone: task === 'gone',
    updates: updates.map(updateJson),
    sources: sources.map(({ source, state, what }) => ({ source, state, what })),
  });
}

function updateJson(update: KnownUpdate): Readonly<Record<string, unknown>> {
  const { values, end, letters, steps } = update;
  return {
    at: time(update.at),
    issuedAt: time(update.decidedAt),
    sentAt: time(update.sentAt),
    messageIds: update.messageIds,
    job: update.jobId ?? null,
    row: update.row ?? null,
    requestId: update.requestId ?? null,
    Description: values?.Description ?? null,
    TaskConfigurationId: values?.TaskConfigurationId ?? null,
    end: end?.state ?? update.open ?? 'unknown',
    endedAt: time(end?.at),
    reason: end?.reason ?? null,
    error: end?.error?.name ?? null,
    status: end?.error?.status ?? null,
    message: end?.error?.message ?? null,
    calls: end?.attempts ?? null,
    note: end?.note ?? null,
    letters: letters.map(({ messageId, arrivedAt, redriveCount }) => ({
      messageId,
      arrivedAt: time(arrivedAt),
      redriveCount,
    })),
    steps: steps.map(({ at, source, what }) => ({ at: time(at), source, what })),
    sources: update.sources,
  };
}

function time(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
