/** Reads the log of changes: who changed what, and how it ended. The file may have any size, and is not trusted. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { causeOf, errorCode } from '../../errors.ts';
import { readLines } from '../../input/lines.ts';
import { parseInstant } from '../../message/instant.ts';
import { AUDIT_FILE } from '../changes/audit.ts';

/** How much of the end of the file is read, in bytes. */
const MOST_BYTES = 4_194_304;

const lineSchema = z.object({
  at: z
    .string()
    .transform((text) => parseInstant(text) ?? Number.NaN)
    .refine(Number.isFinite),
  run: z.string().max(100),
  action: z.string().max(100),
  by: z.string(),
  reason: z.string(),
  event: z.enum(['begin', 'letters', 'stop', 'drop', 'end']),
  what: z.record(z.string(), z.unknown()).optional(),
  letters: z.array(z.unknown()).optional(),
  result: z.record(z.string(), z.unknown()).optional(),
});

/** Somebody has stopped a change, or dropped its plan. */
interface LoggedStop {
  readonly event: 'stop' | 'drop';
  readonly at: number;
  readonly by: string;
  readonly reason: string;
}

/** One command or change of the console. Times are epoch milliseconds; texts are not escaped. */
export interface LoggedChange {
  readonly run: string;
  readonly action: string;
  readonly by: string;
  readonly reason: string;
  /** Time of the first of its lines that was read. */
  readonly at: number;
  readonly what: Readonly<Record<string, unknown>>;
  /** Letters that were logged before they were changed. */
  readonly letters: number;
  readonly stops: readonly LoggedStop[];
  /** undefined: it is still running, or was killed. */
  readonly end: { readonly at: number; readonly result: Readonly<Record<string, unknown>> } | undefined;
}

/**
 * Latest first; from a long log, only the changes at its end.
 * @returns also why it cannot be read, as a phrase. Never rejects.
 */
export async function readChanges(stateDir: string, most: number): Promise<readonly LoggedChange[] | string> {
  const path = join(stateDir, AUDIT_FILE);
  try {
    const runs = new Map<string, LoggedChange>();
    for (const text of (await endOf(path)).split('\n')) add(runs, text);
    return [...runs.values()].reverse().slice(0, most);
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? [] : `${path}: ${causeOf(error)}`;
  }
}

const lettersSchema = z.object({
  run: z.string(),
  letters: z.array(z.object({ messageId: z.string() })),
});

/**
 * The message ids of the letters that the lines of a change name; reads the whole log, line by line.
 * @returns also why it cannot be read, as a phrase. Never rejects.
 */
export async function readLettersOf(run: string, stateDir: string): Promise<ReadonlySet<string> | string> {
  const path = join(stateDir, AUDIT_FILE);
  const named = new Set<string>();
  try {
    const file = await open(path);
    // The stream closes the file.
    for await (const { text } of readLines(file.createReadStream())) {
      // Checked before parsing: most lines of a long log belong to other changes.
      if (!text.includes(run)) continue;
      const { data } = lettersSchema.safeParse(parse(text));
      if (data?.run === run) for (const { messageId } of data.letters) named.add(messageId);
    }
    return named;
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? named : `${path}: ${causeOf(error)}`;
  }
}

async function endOf(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const length = Math.min(size, MOST_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

function add(runs: Map<string, LoggedChange>, text: string): void {
  const read = lineSchema.safeParse(parse(text));
  if (!read.success) return;
  const { run, action, by, reason, at, event, what = {}, letters = [], result = {} } = read.data;
  const known = runs.get(run);
  const before = known ?? { run, action, by, reason, at, what, letters: 0, stops: [], end: undefined };
  runs.set(run, {
    ...before,
    // A redrive of the console that was interrupted begins again; the first of these lines may be missing from a
    // long log.
    ...(event === 'begin' && { by, reason, what, end: undefined }),
    letters: before.letters + letters.length,
    ...((event === 'stop' || event === 'drop') && { stops: [...before.stops, { event, at, by, reason }] }),
    ...(event === 'end' && { end: { at, result } }),
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
