/**
 * Reading OTA tasks: GetOtaTask and ListOtaTasks at the configured rate, with failures as data. What the API answers
 * was written by others: strings are taken for strings only when they are, and nothing here is fit to print as it is.
 */
import {
  GetOtaTaskCommand,
  type IoTManagedIntegrationsClient,
  ListOtaTasksCommand,
} from '@aws-sdk/client-iot-managed-integrations';
import { carry, type OpenCall, OpenCalls } from '../aws/open-call.ts';
import type { RetrySettings } from '../message/disposition.ts';
import { classify, type Failure } from '../message/failure.ts';
import { fullJitter } from '../time/backoff.ts';
import type { Clock } from '../time/clock.ts';
import { blame, createClient, type OtaApiOptions, toCallError } from './client.ts';
import { defaultProbeSchedules, Gate } from './gate.ts';
import { Permits } from './permits.ts';
import type { RateLimiter } from './rate/limiter.ts';
import type { RateControl } from './rate/rate.ts';
import { FailedCall, withRetry } from './retry.ts';

/** A task as far as it can be changed or chosen by. A field that the answer does not carry is absent. */
export interface OtaTask {
  readonly TaskId?: string;
  readonly Description?: string;
  readonly TaskConfigurationId?: string;
  readonly Status?: string;
}

export interface OtaTaskPage {
  readonly tasks: readonly OtaTask[];
  /** Absent: it was the last page. */
  readonly nextToken?: string;
}

/** What was asked for, or the failure that was final. */
export type ReadAnswer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: Failure };

/** Tasks to a page: what the API allows. */
export const PAGE_SIZE = 1_000;

export interface OtaReaderOptions extends OtaApiOptions {
  readonly limiter: RateLimiter;
  readonly rate: RateControl;
  readonly retry: RetrySettings;
  readonly clock: Clock;
  readonly random: () => number;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Ends all reading: calls in flight are cut off, nothing is tried again. */
  readonly signal: AbortSignal;
}

/** The part of a reader that reads one task. */
export type TaskGetter = Pick<OtaReader, 'get'>;

/** Reads at the limiter's rate. Throttling is waited out; other passing failures are tried `maxAttempts` times. */
export class OtaReader {
  readonly #options: OtaReaderOptions;
  readonly #client: IoTManagedIntegrationsClient;
  readonly #permits: Permits;
  readonly #open = new OpenCalls();
  #calls = 0;

  constructor(options: OtaReaderOptions) {
    this.#options = options;
    this.#client = createClient(options);
    const now = options.clock.monotonic;
    // A reader blames nobody and pauses for nothing: its gate stays open.
    const gate = new Gate({ runLimit: 0, schedules: defaultProbeSchedules, now, onChange: () => {} });
    this.#permits = new Permits({
      limiter: options.limiter,
      gate,
      maxConcurrency: options.maxSockets,
      now,
    });
  }

  /** Calls made so far, those that failed included. */
  get calls(): number {
    return this.#calls;
  }

  /** The task as it is now. Never throws. */
  get(identifier: string): Promise<ReadAnswer<OtaTask>> {
    return this.#read(async (call) => {
      const command = new GetOtaTaskCommand({ Identifier: identifier });
      const task = toTask(await this.#client.send(carry(command, call)));
      // A proxy's 200, say: what it leaves out must not pass for an empty description.
      if (task.TaskId === undefined) throw Object.assign(new Error('the answer is no task'), notAnAnswer);
      return task;
    });
  }

  /** One page of all tasks: the first, or the one that `nextToken` stands for. Never throws. */
  list(nextToken: string | undefined): Promise<ReadAnswer<OtaTaskPage>> {
    const input = { MaxResults: PAGE_SIZE, ...(nextToken !== undefined && { NextToken: nextToken }) };
    return this.#read(async (call) => {
      const { Tasks, NextToken } = await this.#client.send(carry(new ListOtaTasksCommand(input), call));
      const next = text(NextToken);
      return {
        tasks: Array.isArray(Tasks) ? Tasks.map(toTask) : [],
        ...(next !== undefined && next !== '' && { nextToken: next }),
      };
    });
  }

  async close(): Promise<void> {
    this.#permits.close();
    this.#client.destroy();
    await this.#options.limiter.close();
  }

  async #read<T>(request: (call: OpenCall) => Promise<T>): Promise<ReadAnswer<T>> {
    const { retry, random, sleep, signal } = this.#options;
    let counted = 0;
    let throttledInARow = 0;
    const again = async (failure: Failure): Promise<boolean> => {
      if (failure.kind === 'throttled') throttledInARow++;
      else if (failure.kind === 'retryable' || failure.kind === 'unidentified') counted++;
      else return false;
      if (signal.aborted || counted >= retry.maxAttempts) return false;
      if (failure.kind !== 'throttled') throttledInARow = 0;
      const wait = fullJitter(retry, Math.max(throttledInARow, counted), random);
      await sleep(Math.max(failure.retryAfterMs ?? 0, wait), signal);
      return !signal.aborted;
    };
    const result = await withRetry(() => this.#attempt(request), again);
    if (result instanceof FailedCall) return { ok: false, failure: result.failure };
    return { ok: true, value: result.value };
  }

  async #attempt<T>(request: (call: OpenCall) => Promise<T>): Promise<{ readonly value: T }> {
    const { clock, rate, signal, callTimeoutMs } = this.#options;
    if (signal.aborted) throw new FailedCall(interrupted);
    const permit = this.#permits.request();
    const onAbort = (): void => this.#permits.cancel(permit);
    signal.addEventListener('abort', onAbort, { once: true });
    const granted = await permit.granted;
    signal.removeEventListener('abort', onAbort);
    if (!granted) throw new FailedCall(interrupted);
    const startedAt = clock.monotonic();
    this.#calls++;
    try {
      const value = await this.#open.run(callTimeoutMs, signal, async (call) => {
        try {
          return await request(call);
        } catch (error) {
          throw await blame(this.#client, call, error);
        }
      });
      rate.observe({ startedAt, endedAt: clock.monotonic() });
      return { value };
    } catch (thrown) {
      if (signal.aborted) throw new FailedCall(interrupted);
      const failure = classify(toCallError(thrown), clock.wall());
      rate.observe({ startedAt, endedAt: clock.monotonic(), failure });
      throw new FailedCall(failure);
    } finally {
      this.#permits.release(permit);
    }
  }
}

/** As an answer that the API did not give. */
const notAnAnswer = { name: 'Unknown', $metadata: { httpStatusCode: 200 } };

/** Cut off by the reader's own signal: the caller knows, and looks at its signal. */
const interrupted: Failure = { kind: 'internal', name: 'AbortError', message: 'interrupted' };

function toTask(answer: object): OtaTask {
  const { TaskId, Description, TaskConfigurationId, Status } = answer as Record<string, unknown>;
  return {
    ...(typeof TaskId === 'string' && { TaskId }),
    ...(typeof Description === 'string' && { Description }),
    ...(typeof TaskConfigurationId === 'string' && { TaskConfigurationId }),
    ...(typeof Status === 'string' && { Status }),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
