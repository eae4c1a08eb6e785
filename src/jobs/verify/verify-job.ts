/**
 * Looks at the tasks that a job has changed: what happened to their devices, and whether they still have the values set.
 */

import { countsOf, type DeviceCounts, type DeviceState, isFailed } from '../../message/devices.ts';
import { explainRead, type ReadOperation } from '../../message/explain-read.ts';
import type { Failure } from '../../message/failure.ts';
import type { OtaReader } from '../../ota/reader.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerRow } from '../ledger/row.ts';
import { inOrder } from '../plan/read-tasks.ts';
import { type CountedRows, type FailedDevice, type JudgedVerification, VerificationSum } from './sum.ts';

export interface VerifyOptions {
  readonly ledger: Pick<Ledger, 'pages'>;
  /** Key of the job. */
  readonly key: number;
  readonly reader: Pick<OtaReader, 'get' | 'executions'>;
  /** Maximum number of reads in flight. */
  readonly maxConcurrency: number;
  /** Which rows rules judge, and which belong to the stage; default: all. */
  readonly counted?: CountedRows;
  /** Ask about every device of every task, instead of using the task's counts. */
  readonly executions: boolean;
  /** Ends it early; the result is what was seen until then. */
  readonly signal: AbortSignal;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Called after each task, with the number of tasks so far. */
  readonly onTask: (count: number) => void;
}

/** If this many in a row cannot be read, the cause is not in the tasks, and the others are not read. */
const UNREADABLE_RUN = 20;

interface Seen {
  readonly row: LedgerRow;
  readonly answer: Awaited<ReturnType<OtaReader['get']>>;
  readonly devices?: DeviceCounts;
  readonly failedDevices: readonly FailedDevice[];
  readonly why: string;
}

/** Reads the tasks of the rows that were applied, in bounded memory. Never rejects because of an answer of the API. */
export async function verifyJob(options: VerifyOptions): Promise<JudgedVerification> {
  const { ledger, key, maxConcurrency, signal, now, onTask, counted } = options;
  const sum = new VerificationSum(now(), counted);
  let count = 0;
  let run = 0;
  let isWhole = true;
  for await (const seen of inOrder(appliedRows(ledger, key), maxConcurrency, (row) => look(row, options))) {
    if (signal.aborted) return sum.result(false);
    const { row, answer, devices, failedDevices, why } = seen;
    sum.add(row, answer, devices, why);
    for (const device of failedDevices) sum.addFailedDevice(device);
    onTask(++count);
    // A task that no longer exists has no devices.
    const isKnown = answer.ok || answer.failure.kind === 'rejected';
    isWhole &&= isKnown;
    run = isKnown ? 0 : run + 1;
    if (run >= UNREADABLE_RUN) return sum.result(false);
  }
  return sum.result(isWhole && !signal.aborted);
}

async function* appliedRows(
  ledger: Pick<Ledger, 'pages'>,
  key: number,
): AsyncGenerator<LedgerRow, undefined> {
  for await (const page of ledger.pages(key))
    for (const row of page) if (!('LeftOut' in row) && row.state === 'applied') yield row;
}

async function look(row: LedgerRow, options: VerifyOptions): Promise<Seen> {
  const { reader, executions } = options;
  const answer = await reader.get(row.Identifier);
  if (!answer.ok) return failed(row, 'GetOtaTask', answer.failure);
  const seen = { row, answer, failedDevices: [], why: '' };
  if (!executions) return seen;
  const asked = await askDevices(row.Identifier, options);
  return 'failure' in asked
    ? failed(row, 'ListOtaTaskExecutions', asked.failure)
    : { ...seen, devices: asked.devices, failedDevices: asked.failedDevices };
}

function failed(row: LedgerRow, operation: ReadOperation, failure: Failure): Seen {
  return { row, answer: { ok: false, failure }, failedDevices: [], why: explainRead(operation, failure) };
}

/** Number of failed devices that are named per task. */
const NAMED_OF_A_TASK = 3;

async function askDevices(
  identifier: string,
  { reader, signal }: VerifyOptions,
): Promise<
  { readonly devices: DeviceCounts; readonly failedDevices: readonly FailedDevice[] } | { failure: Failure }
> {
  const counts = new Map<DeviceState, number>();
  const failedDevices: FailedDevice[] = [];
  let token: string | undefined;
  do {
    const answer = await reader.executions(identifier, token);
    if (!answer.ok) return { failure: answer.failure };
    for (const { thing = '', state } of answer.value.executions) {
      if (state === undefined) continue;
      counts.set(state, (counts.get(state) ?? 0) + 1);
      if (isFailed(state) && failedDevices.length < NAMED_OF_A_TASK)
        failedDevices.push({ identifier, thing, state });
    }
    const { nextToken } = answer.value;
    if (nextToken === token) break;
    token = nextToken;
  } while (token !== undefined && !signal.aborted);
  return { devices: countsOf((state) => counts.get(state) ?? 0), failedDevices };
}
