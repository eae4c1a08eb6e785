/** One run of enqueue: opens the input, validates everything, then sends. */
import type { Readable } from 'node:stream';
import { CommandError, messageOf, misuse } from '../errors.ts';
import { type ColumnFlags, noColumnFlags } from '../input/columns.ts';
import { Findings } from '../input/findings.ts';
import { RefusedFile } from '../input/refused.ts';
import type { Format, GoodRow, InputRow, RefusedRow, SetFields } from '../input/row.ts';
import { checkSetFields, type Rules, readRows } from '../input/rows.ts';
import { inputIdentity, openSource, type Source } from '../input/source.ts';
import type { Update } from '../message/update.ts';
import { isFifoUrl } from '../queue/urls.ts';
import { type MessageOptions, toMessage } from '../sending/messages.ts';
import { type SendContext, sendMessages } from '../sending/send.ts';
import { printable } from '../text/printable.ts';
import type { Progress } from '../text/progress.ts';
import type { Clock } from '../time/clock.ts';
import {
  FileWatch,
  type GoodFile,
  type Keeper,
  type NumberedRow,
  numberRows,
  type RowMessage,
} from './keeper.ts';
import { type Report, toReport } from './summary.ts';
import { type Tally, tallyRows } from './tally.ts';

export interface EnqueueOptions {
  /** A path, or `-` for stdin. */
  readonly file: string;
  readonly format: Format | undefined;
  readonly columns?: ColumnFlags;
  readonly set: SetFields;
  /** May be absent only on a dry run. */
  readonly queueUrl: string | undefined;
  /** Whether `--queue-url` names it, instead of QUEUE_URL. */
  readonly queueByFlag?: boolean;
  /** The job to which the rows belong, if they are kept. */
  readonly job?: string | undefined;
  readonly dryRun: boolean;
  /** Rows before this line are validated but not sent. */
  readonly fromLine: number;
  /** Where refused rows are written. Omitted: beside the file. */
  readonly refusedFile?: string;
}

export interface EnqueueContext extends SendContext {
  readonly stdin: Readable;
  readonly cwd: string;
  readonly clock: Clock;
  readonly progress: Progress;
  /** @throws CommandError when this machine's clock is too wrong to date updates. */
  readonly checkClock: () => Promise<void>;
  /** Keeps the rows, for a job that can be followed. @throws CommandError when they cannot be kept. */
  readonly keep?: ((file: GoodFile) => Promise<Keeper>) | undefined;
}

/** The number of refused rows that the summary shows. */
const EXAMPLES = 3;

/**
 * Validates every row before the first one is sent, writes the refused ones beside the file and sends the good ones.
 * @returns the result, even after an interruption or when the run gave up.
 * @throws CommandError when file or flags are wrong, and when file or disk failed before the first row was sent.
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
  let refused: RefusedFile | undefined;
  try {
    const { cwd } = context;
    const output = { cwd, inputs: [inputIdentity(options.file, context)] };
    refused = new RefusedFile(options.refusedFile, source.refusedPath, output);
    return await run({ options, context, rules, source, refused });
  } catch (error) {
    refused?.discard();
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

  progress.stage('validating', source.bytes);
  let bytes = 0;
  const chunks = source.chunks((count) => {
    bytes += count;
    progress.update(bytes);
  });
  const { columns: flags = noColumnFlags } = options;
  const findings = new Findings();
  const rows = readRows({ ...source, flags, chunks }, rules, findings);
  const keep = options.dryRun ? undefined : context.keep;
  const file = new FileWatch();
  const read = keep === undefined ? rows : file.watch(rows);
  const tally = await tallyRows(read, { signal, fromLine, onRefused });
  if (signal.aborted) {
    refused.discard();
    return toReport(options, { outcome: 'interrupted' });
  }
  if (fromLine > tally.lastLine) {
    throw misuse(
      `There is no row from line ${fromLine} on: the last row of ${printable(source.name)} is on line ${tally.lastLine}.`,
    );
  }
  if (await source.changed()) {
    throw new CommandError(
      `${printable(source.name)} changed while it was being validated. Nothing was sent.`,
    );
  }

  refused.flush();
  if (!options.dryRun) await context.checkClock();
  const keeper = await keep?.({ source: source.name, rows: tally.toSend, ...file.seen() });
  const sendingSince = context.clock.monotonic();
  const result = await send({ options, context, rules, source, refused }, tally, onRefused, keeper);
  const seconds = (context.clock.monotonic() - sendingSince) / 1_000;
  const report = finishReport(refused);
  const failure = result.failure ?? report.failure ?? missingRows(result, tally, source);
  const stopped = result.continueFrom === undefined ? 'done' : 'interrupted';
  return toReport(options, {
    ...result,
    outcome: failure === undefined ? stopped : 'failed',
    failure,
    tally,
    form: findings.form,
    leftOut: findings.leftOut,
    notes: findings.notes(source.name, flags),
    refused: tally.refused + result.refused,
    refusedFile: report.written,
    examples,
    seconds,
  });
}

const LOST = 'The ledger could not be reached in time, and another process may be sending these rows by now';

type Sent = Pick<
  Report,
  | 'sent'
  | 'mayHaveArrived'
  | 'sentBefore'
  | 'wasWhole'
  | 'refused'
  | 'requests'
  | 'continueFrom'
  | 'failure'
  | 'firstBody'
>;

async function send(
  { options, context, rules, source }: Run,
  { toSend }: Tally,
  onRefused: (row: RefusedRow) => void,
  keeper: Keeper | undefined,
): Promise<Sent> {
  const { dryRun, queueUrl = 'http://queue.invalid/', fromLine, columns: flags = noColumnFlags } = options;
  let firstBody: string | undefined;
  if (toSend === 0 && keeper === undefined)
    return {
      sent: 0,
      mayHaveArrived: 0,
      sentBefore: 0,
      wasWhole: false,
      refused: 0,
      requests: 0,
      continueFrom: undefined,
      failure: undefined,
      firstBody,
    };
  context.progress.stage(dryRun ? 'counting  ' : 'sending   ', toSend);
  // A dry run does everything except the request itself, so that its counts are true.
  const pretend: SendContext['send'] = async ([first]) => {
    firstBody ??= first?.body;
    return { failed: [], messageIds: new Map() };
  };
  const run = { fifo: isFifoUrl(queueUrl), run: `${rules.startedAt} ${context.random()}` };
  const rows = (): AsyncIterable<InputRow> => readRows({ ...source, flags, chunks: source.chunks() }, rules);
  async function* plain(): AsyncGenerator<RowMessage, undefined> {
    for await (const row of rows())
      if ('update' in row && row.line >= fromLine) yield toRowMessage(row, rules.startedAt, run, options.job);
  }
  async function* numbered(): AsyncGenerator<NumberedRow, undefined> {
    for await (const one of numberRows(rows())) if (one.row.line >= fromLine) yield one;
  }
  const result = await sendMessages(keeper === undefined ? plain() : keeper.messages(numbered()), {
    ...context,
    queueUrl,
    send: dryRun ? pretend : context.send,
    ...(keeper !== undefined && { signal: AbortSignal.any([context.signal, keeper.lost]) }),
    ...(keeper !== undefined && { onSent: (messages, ids) => keeper.sent(messages, ids) }),
    onRefused: (message, reason) => {
      keeper?.refused(message, reason);
      const { line, raw, update } = message.row;
      onRefused({ line, raw, reason, values: update });
    },
    onProgress: context.progress.update,
  });
  const { firstUnsent, lastTaken, sent, refused, requests } = result;
  const whole = firstUnsent === undefined && result.failure === undefined;
  const kept = await keeper?.finish({ ...result, whole }).catch(messageOf);
  const lost = keeper?.lost.aborted === true && !whole ? LOST : undefined;
  const failure = result.failure ?? (typeof kept === 'string' ? kept : undefined) ?? lost;
  // When the input failed, the lines after the last row taken are unknown.
  const unknown = failure === undefined ? undefined : (lastTaken?.row.line ?? 0) + 1;
  const continueFrom = firstUnsent?.row.line ?? unknown;
  const { sentBefore = 0, wasWhole = false } = keeper ?? {};
  const mayHaveArrived = result.uncertain.size;
  return {
    sent,
    mayHaveArrived,
    sentBefore,
    wasWhole,
    refused,
    requests,
    failure,
    firstBody,
    continueFrom,
  };
}

/**
 * A row without RequestId gets `row-` and its line in six digits, one without IssuedAt the start of the run.
 * @param job of a dry run: its ledger would assign the RequestId, so none is made up.
 */
function toRowMessage(
  row: GoodRow,
  startedAt: number,
  run: Omit<MessageOptions, 'key'>,
  job: string | undefined,
): RowMessage {
  const { RequestId = job === undefined ? `row-${String(row.line).padStart(6, '0')}` : undefined, IssuedAt } =
    row.update;
  const update: Update = {
    ...row.update,
    ...(RequestId !== undefined && { RequestId }),
    IssuedAt: IssuedAt ?? new Date(startedAt).toISOString(),
  };
  return { row, ...toMessage(update, { ...run, key: String(row.line) }) };
}

/** A file that cannot be written must not hide how many rows were sent. */
function finishReport(refused: RefusedFile): { written: string | undefined; failure: string | undefined } {
  try {
    return { written: refused.finish(), failure: undefined };
  } catch (error) {
    return {
      written: undefined,
      failure: messageOf(error),
    };
  }
}

/** The file is read again for sending: rows that were good the first time must not go missing unnoticed. */
function missingRows(result: Sent, { toSend }: Tally, { name }: Source): string | undefined {
  if (result.continueFrom !== undefined || result.sent + result.sentBefore + result.refused === toSend)
    return undefined;
  return `${printable(name)} changed while it was being sent, so not every row was sent`;
}
