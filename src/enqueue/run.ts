/** One run of enqueue: open, validate everything, then send. */

import { resolve } from 'node:path';
import { EnqueueFailure, InputFault } from '../input/faults.ts';
import { RefusedFile } from '../input/refused.ts';
import { readRows } from '../input/rows.ts';
import { openSource, type Source } from '../input/source.ts';
import {
  type CheckedRow,
  checkRows,
  checkSetFields,
  type GoodRow,
  type RefusedRow,
  type Rules,
  type Tally,
  tallyRows,
} from '../input/validate.ts';
import { type SendOptions, type SendResult, sendRows } from '../sending/send.ts';
import { printable } from '../text/printable.ts';
import type { Progress } from '../text/progress.ts';
import type { EnqueueContext, EnqueueOptions } from './options.ts';
import { type Report, toReport } from './summary.ts';

/** Refused rows that the summary shows. */
const EXAMPLES = 3;

const nothingSent: SendResult = {
  sent: 0,
  refused: 0,
  requests: 0,
  continueFrom: undefined,
  failure: undefined,
};

/**
 * Validates every row before the first one is sent, writes the refused ones beside the file and sends the good ones.
 * @returns how it went, also when it was interrupted or gave up.
 * @throws InputFault when nothing was done because file or flags are wrong; EnqueueFailure when file or disk failed
 * before the first row was sent.
 */
export async function enqueue(options: EnqueueOptions, context: EnqueueContext): Promise<Report> {
  const { signal, progress } = context;
  const rules: Rules = { set: options.set, startedAt: context.clock.wall() };
  checkSetFields(rules);
  const source = await openSource(options.file, { ...context, format: options.format }).catch(
    (error: unknown) => {
      if (signal.aborted) return undefined;
      throw error;
    },
  );
  if (source === undefined) return toReport(options, { outcome: 'interrupted' });
  const refusedPath = options.refusedFile ?? source.refusedPath;
  const refused = new RefusedFile(resolve(context.cwd, refusedPath));
  try {
    return await run({ options, context, rules, source, refused });
  } catch (error) {
    refused.discard();
    throw error;
  } finally {
    progress.stop();
    await source.close();
  }
}

interface Run {
  readonly options: EnqueueOptions;
  readonly context: EnqueueContext;
  readonly rules: Rules;
  readonly source: Source;
  readonly refused: RefusedFile;
}

async function run({ options, context, rules, source, refused }: Run): Promise<Report> {
  const { progress, signal } = context;
  const { fromLine } = options;
  const examples: RefusedRow[] = [];
  const onRefused = (row: RefusedRow): void => {
    refused.add(row);
    if (examples.length < EXAMPLES) examples.push(row);
  };

  const tally = await validate({ source, rules, progress, signal, fromLine, onRefused });
  if (signal.aborted) {
    refused.discard();
    return toReport(options, { outcome: 'interrupted' });
  }
  if (fromLine > tally.lastLine) {
    throw new InputFault(
      `There is no row from line ${fromLine} on: the last row of ${printable(source.name)} is on line ${tally.lastLine}.`,
    );
  }
  if (await source.changed()) {
    throw new EnqueueFailure(`${printable(source.name)} changed while it was validated; nothing was sent.`);
  }

  const sendingSince = context.clock.monotonic();
  const { result, firstBody } = await send({ options, context, rules, source, refused }, tally, onRefused);
  const seconds = (context.clock.monotonic() - sendingSince) / 1_000;
  const report = finishReport(refused);
  const failure = result.failure ?? report.failure ?? missingRows(result, tally, source);
  const stopped = result.continueFrom === undefined ? 'done' : 'interrupted';
  return toReport(options, {
    ...result,
    outcome: failure === undefined ? stopped : 'failed',
    failure,
    firstBody,
    tally,
    refused: tally.refused + result.refused,
    refusedFile: report.written ? (options.refusedFile ?? source.refusedPath) : undefined,
    examples,
    seconds,
  });
}

async function send(
  { options, context, rules, source }: Run,
  { toSend }: Tally,
  onRefused: (row: RefusedRow) => void,
): Promise<{ result: SendResult; firstBody: string | undefined }> {
  const { dryRun, queueUrl = 'http://queue.invalid/', fromLine } = options;
  let firstBody: string | undefined;
  if (toSend === 0) return { result: nothingSent, firstBody };
  context.progress.stage(dryRun ? 'counting  ' : 'sending   ', toSend);
  // A dry run goes the whole way but for the request itself, so that what it counts is true.
  const pretend: SendOptions['send'] = async ([first]) => {
    firstBody ??= first?.body;
    return [];
  };
  const rows = checkRows(readRows({ ...source, chunks: source.chunks() }), rules);
  const result = await sendRows(goodRows(rows, fromLine), {
    ...context,
    queueUrl,
    run: `${rules.startedAt} ${context.random()}`,
    send: dryRun ? pretend : context.send,
    onRefused,
    onProgress: context.progress.update,
  });
  return { result, firstBody };
}

/** By now rows are sent: a report that cannot be written must not hide how many. */
function finishReport(refused: RefusedFile): { written: boolean; failure: string | undefined } {
  try {
    return { written: refused.finish(), failure: undefined };
  } catch (error) {
    return {
      written: false,
      failure: error instanceof Error ? error.message : String(error),
    };
  }
}

/** The file is read anew for sending: rows that were good before and are not there any more must not go unnoticed. */
function missingRows(result: SendResult, { toSend }: Tally, { name }: Source): string | undefined {
  if (result.continueFrom !== undefined || result.sent + result.refused === toSend) return undefined;
  return `${printable(name)} changed while it was sent, so that not every row was`;
}

async function* goodRows(rows: AsyncIterable<CheckedRow>, fromLine: number): AsyncGenerator<GoodRow> {
  for await (const row of rows) if ('update' in row && row.line >= fromLine) yield row;
}

interface Validation {
  readonly source: Source;
  readonly rules: Rules;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly fromLine: number;
  readonly onRefused: (row: RefusedRow) => void;
}

async function validate({ source, rules, progress, ...options }: Validation): Promise<Tally> {
  let bytes = 0;
  progress.stage('validating', source.bytes);
  const chunks = source.chunks((count) => {
    bytes += count;
    progress.update(bytes);
  });
  return tallyRows(checkRows(readRows({ ...source, chunks }), rules), options);
}
