/** The lines of a worker's log that concern one task, as findings. A log can have any origin and size. */
import { z } from 'zod';
import { readLines } from '../input/lines.ts';
import { parseInstant } from '../message/instant.ts';
import { updateSchema } from '../message/update.ts';
import { remoteName, remoteText } from '../text/remote.ts';
import type { End, Finding, Step } from './finding.ts';

/** Maximum number of the task's lines that are kept: the latest. */
const MAX_LINES = 10_000;

const count = z.number().int().min(0).max(1e9).optional().catch(undefined);
const name = z.string().transform(remoteName).optional().catch(undefined);
const text = z.string().transform(remoteText).optional().catch(undefined);
const { JobId, RequestId, Identifier } = updateSchema.shape;

/** The fields used here, as described in docs/reference/logs.md. */
const lineSchema = z.object({
  /** In this program's format; other pino loggers write epoch milliseconds. */
  time: z
    .union([z.string().transform((iso) => parseInstant(iso) ?? Number.NaN), z.number()])
    .refine(isInstant),
  event: z.string().regex(/^[a-z][a-z_.]{0,59}$/),
  identifier: Identifier,
  messageId: z.string().min(1).max(200),
  msg: text,
  jobId: JobId.catch(undefined),
  requestId: RequestId.catch(undefined),
  receiveCount: count,
  attempt: count,
  attempts: count,
  seconds: count,
  dwellMs: z.number().min(0).max(1e12).optional().catch(undefined),
  failure: name,
  status: count,
  errorName: name,
  errorMessage: text,
  reason: text,
});

type LogLine = z.infer<typeof lineSchema>;

function isInstant(ms: number): boolean {
  return ms > 0 && ms < 8e15;
}

/** The result of reading a log. */
export interface LogResult {
  readonly findings: readonly Finding[];
  readonly lines: number;
  /** How many of these are JSON objects, as log lines are; other lines may be between them. */
  readonly jsonLines: number;
  /** Lines of the task. */
  readonly ofTask: number;
  /** Lines of the task that are older than those kept. */
  readonly leftOut: number;
}

/**
 * Reads a log to its end, or until `signal` aborts. Skips lines that are not a worker's, and what a container
 * runtime puts before a line.
 * @throws the error of `chunks`.
 */
export async function readLog(
  chunks: AsyncIterable<Uint8Array>,
  identifier: string,
  signal: AbortSignal,
): Promise<LogResult> {
  let [lines, jsonLines, ofTask] = [0, 0, 0];
  const kept: LogLine[] = [];
  for await (const { text: whole, cut } of readLines(chunks)) {
    if (signal.aborted) break;
    lines++;
    const start = whole.indexOf('{');
    if (start === -1 || cut) continue;
    // Checked before parsing: most lines of a large log concern other tasks.
    if (!whole.includes(identifier, start)) {
      if (whole.endsWith('}')) jsonLines++;
      continue;
    }
    const value = parse(whole.slice(start));
    if (value === undefined) continue;
    jsonLines++;
    const { data } = lineSchema.safeParse(value);
    if (data?.identifier !== identifier) continue;
    ofTask++;
    kept.push(data);
    if (kept.length >= 2 * MAX_LINES) kept.splice(0, MAX_LINES);
  }
  const latest = kept.slice(-MAX_LINES);
  return { findings: findingsOf(latest), lines, jsonLines, ofTask, leftOut: ofTask - latest.length };
}

/** Why a log that was read to its end may know more than was found; undefined if there is no sign of that. */
export function logFault({ lines, jsonLines, leftOut }: LogResult): string | undefined {
  if (lines > 0 && jsonLines === 0)
    return 'none of its lines is JSON, as a worker writes them if its output is not a terminal';
  if (leftOut > 0) return `the task has too many lines: the first ${leftOut} are left out`;
  return undefined;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function findingsOf(lines: readonly LogLine[]): Finding[] {
  const byMessage = Map.groupBy(lines, ({ messageId }) => messageId);
  return [...byMessage].map(([messageId, own]) => {
    const last = <Key extends keyof LogLine>(key: Key): LogLine[Key] | undefined =>
      own.findLast((line) => line[key] !== undefined)?.[key];
    const dwelt = own.find(({ dwellMs }) => dwellMs !== undefined);
    return {
      source: 'log',
      messageIds: [messageId],
      jobId: last('jobId'),
      requestId: last('requestId'),
      sentAt: dwelt && dwelt.time - (dwelt.dwellMs ?? 0),
      end: own.map(endOf).findLast((end) => end !== undefined),
      steps: own.flatMap((line) => stepOf(line)),
    };
  });
}

const ends: Readonly<Record<string, End['state']>> = {
  applied: 'applied',
  'applied.in_part': 'applied',
  superseded: 'superseded',
  dead_letter: 'dead-lettered',
};

function endOf(line: LogLine): End | undefined {
  const state = Object.hasOwn(ends, line.event) ? ends[line.event] : undefined;
  if (state === undefined) return undefined;
  const { time: at, reason, errorName, errorMessage = '', status, attempts } = line;
  return {
    state,
    at,
    ...(reason !== undefined && { reason }),
    ...(errorName !== undefined && {
      error: { name: errorName, message: errorMessage, ...(status !== undefined && { status }) },
    }),
    ...(attempts !== undefined && { attempts }),
    ...(line.event === 'applied.in_part' && { note: 'without fields that have newer values' }),
  };
}

/** Nothing for an end, which is shown separately. */
function stepOf(line: LogLine): Step[] {
  if (Object.hasOwn(ends, line.event)) return [];
  return [{ at: line.time, source: 'log', what: `${phraseOf(line)}${deliveryText(line)}` }];
}

function phraseOf({
  event,
  msg,
  failure,
  errorName,
  status,
  attempt,
  seconds,
  reason,
  ...line
}: LogLine): string {
  const error = [errorName, status === undefined ? undefined : `(${status})`].filter(Boolean).join(' ');
  switch (event) {
    case 'call.failed': {
      const call = attempt === undefined ? 'a call' : `call ${attempt}`;
      if (failure === 'throttled') return `${call} was throttled`;
      return `${call} failed: ${error || failure}${line.errorMessage ? `: ${line.errorMessage}` : ''}`;
    }
    case 'deferred':
      return `deferred for ${seconds ?? '?'} s${error === '' ? '' : `: ${error}`}`;
    case 'released':
      return 'given back to the queue';
    case 'lease.lost':
      return `lease lost${reason === undefined ? '' : `: ${reason}`}`;
    default:
      return msg ?? event;
  }
}

function deliveryText({ receiveCount }: LogLine): string {
  return receiveCount === undefined ? '' : `, delivery ${receiveCount}`;
}
