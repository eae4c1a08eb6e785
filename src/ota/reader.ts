/**
 * Reads OTA tasks, their executions and task configurations at the configured rate, and creates configurations. Failures are
 * data. Texts in an answer are untrusted: not safe to print unescaped.
 */
import {
  CreateOtaTaskConfigurationCommand,
  type CreateOtaTaskConfigurationRequest,
  GetOtaTaskCommand,
  GetOtaTaskConfigurationCommand,
  type IoTManagedIntegrationsClient,
  ListOtaTaskConfigurationsCommand,
  ListOtaTaskExecutionsCommand,
  ListOtaTasksCommand,
} from '@aws-sdk/client-iot-managed-integrations';
import { attachCall, type OpenCall, OpenCalls } from '../aws/open-call.ts';
import type { RetrySettings } from '../message/disposition.ts';
import { classify, type Failure, type FailureKind, waitAfter } from '../message/failure.ts';
import { fullJitter } from '../time/backoff.ts';
import type { Clock } from '../time/clock.ts';
import {
  type ExecutionPage,
  nextOf,
  type OtaConfiguration,
  type OtaConfigurationPage,
  type OtaTask,
  type OtaTaskPage,
  toConfiguration,
  toDetails,
  toExecution,
  toTask,
} from './answers.ts';
import { createClient, type OtaApiOptions, toCallError } from './client.ts';
import { defaultProbeSchedules, Gate } from './gate.ts';
import { Hold } from './hold.ts';
import type { Call } from './hold-state.ts';
import { Permits } from './permits.ts';
import type { RateLimiter } from './rate/limiter.ts';
import type { RateControl } from './rate/rate-control.ts';
import { retry } from './retry.ts';

/** The value, or the last failure. */
export type ReadAnswer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: Failure };

/** The API's limit. */
const PAGE_SIZE = 1_000;

export interface OtaReaderOptions extends OtaApiOptions {
  readonly limiter: RateLimiter;
  readonly rate: RateControl;
  readonly retry: RetrySettings;
  readonly clock: Clock;
  readonly random: () => number;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Ends all reading: calls in flight are aborted and nothing is retried. */
  readonly signal: AbortSignal;
  /** Called with each failure that is retried because the API is unavailable, and with undefined once an answer has come. */
  readonly onAway?: (failure: Failure | undefined) => void;
}

/** In place of an Identifier for calls that concern no task. */
const NO_TASK = '';

/** A configuration to create. With the same `ClientToken` it is created once, however often it is sent. */
export type NewConfiguration = Pick<OtaConfiguration, 'Name' | 'Description' | 'PushConfig'> & {
  readonly ClientToken: string;
};

export type TaskGetter = Pick<OtaReader, 'get'>;

/** Reads at the limiter's rate. Throttled calls are retried without limit, other retryable ones up to `maxAttempts`. */
export class OtaReader {
  readonly #options: OtaReaderOptions;
  readonly #client: IoTManagedIntegrationsClient;
  readonly #permits: Permits;
  readonly #hold: Hold;
  readonly #open = new OpenCalls();
  #calls = 0;
  #away = false;

  constructor(options: OtaReaderOptions) {
    this.#options = options;
    this.#client = createClient(options);
    const now = options.clock.monotonic;
    // Permits need a gate. No reason to close it concerns reading, so it stays open.
    const gate = new Gate({ runLimit: 0, schedules: defaultProbeSchedules, now, onChange: () => {} });
    this.#hold = new Hold({
      now,
      onChange: (change) => {
        if (!change.held) options.rate.held(change.from, change.to);
        this.#permits.pump();
      },
    });
    this.#permits = new Permits({
      limiter: options.limiter,
      gate,
      hold: this.#hold,
      maxConcurrency: options.maxSockets,
      now,
    });
  }

  /** Calls made so far, including failed ones. */
  get calls(): number {
    return this.#calls;
  }

  /** The task's current state. Never rejects. */
  get(identifier: string): Promise<ReadAnswer<OtaTask>> {
    return this.#read(identifier, async (call) => {
      const command = new GetOtaTaskCommand({ Identifier: identifier });
      const answer = await this.#client.send(attachCall(command, call));
      const task = toTask(answer);
      // A 200 may come from a proxy: its missing fields must not count as an empty description.
      if (task.TaskId === undefined) throw notAnAnswer('a task');
      return { ...task, ...toDetails(answer) };
    });
  }

  /** A page of all tasks: the first, or the one that `nextToken` names. Never rejects. */
  list(nextToken: string | undefined): Promise<ReadAnswer<OtaTaskPage>> {
    return this.#read(NO_TASK, async (call) => {
      const command = new ListOtaTasksCommand(page(nextToken));
      const { Tasks, NextToken } = await this.#client.send(attachCall(command, call));
      return { tasks: objects(Tasks).map(toTask), ...nextOf(NextToken) };
    });
  }

  /** A page of a task's devices: the first, or the one that `nextToken` names. Never rejects. */
  executions(identifier: string, nextToken: string | undefined): Promise<ReadAnswer<ExecutionPage>> {
    return this.#read(identifier, async (call) => {
      const command = new ListOtaTaskExecutionsCommand({ Identifier: identifier, ...page(nextToken) });
      const { ExecutionSummaries, NextToken } = await this.#client.send(attachCall(command, call));
      return { executions: objects(ExecutionSummaries).map(toExecution), ...nextOf(NextToken) };
    });
  }

  /** The task configuration. Never rejects. */
  configuration(id: string): Promise<ReadAnswer<OtaConfiguration>> {
    return this.#read(NO_TASK, async (call) => {
      const command = new GetOtaTaskConfigurationCommand({ Identifier: id });
      const found = toConfiguration(await this.#client.send(attachCall(command, call)));
      if (found.TaskConfigurationId === undefined) throw notAnAnswer('a task configuration');
      return found;
    });
  }

  /** A page of all task configurations: the first, or the one that `nextToken` names. Never rejects. */
  configurations(nextToken: string | undefined): Promise<ReadAnswer<OtaConfigurationPage>> {
    return this.#read(NO_TASK, async (call) => {
      const command = new ListOtaTaskConfigurationsCommand(page(nextToken));
      const { Items, NextToken } = await this.#client.send(attachCall(command, call));
      return { configurations: objects(Items).map(toConfiguration), ...nextOf(NextToken) };
    });
  }

  /** Creates a task configuration, only once even if the call is retried. @returns its id. Never rejects. */
  createConfiguration(wanted: NewConfiguration): Promise<ReadAnswer<string>> {
    return this.#read(NO_TASK, async (call) => {
      // The values come from another configuration. If this client's model does not know one, the API decides on it.
      const input = wanted as CreateOtaTaskConfigurationRequest;
      const command = new CreateOtaTaskConfigurationCommand(input);
      const { TaskConfigurationId } = await this.#client.send(attachCall(command, call));
      if (typeof TaskConfigurationId !== 'string') throw notAnAnswer('the id of a task configuration');
      return TaskConfigurationId;
    });
  }

  async close(): Promise<void> {
    this.#permits.close();
    this.#hold.close();
    this.#client.destroy();
    await this.#options.limiter.close();
  }

  async #read<T>(of: string, request: (call: OpenCall) => Promise<T>): Promise<ReadAnswer<T>> {
    const { retry: settings, random, sleep, signal } = this.#options;
    let counted = 0;
    let throttledInARow = 0;
    const again = async (failure: Failure): Promise<boolean> => {
      if (failure.kind === 'throttled') throttledInARow++;
      else if (passing.has(failure.kind)) counted++;
      else return false;
      if (signal.aborted || counted >= settings.maxAttempts) return false;
      if (failure.kind !== 'throttled') throttledInARow = 0;
      if (away.has(failure.kind)) this.#tell(failure);
      const wait = fullJitter(settings, Math.max(throttledInARow, counted), random);
      await sleep(waitAfter(failure, wait), signal);
      return !signal.aborted;
    };
    const attempt = async (): Promise<ReadAnswer<T>> => {
      const answer = await this.#attempt(of, request);
      if (answer.ok || !(away.has(answer.failure.kind) || signal.aborted)) this.#tell(undefined);
      return answer;
    };
    return retry(await attempt(), {
      attempt,
      failureOf: (answer) => (answer.ok ? undefined : answer.failure),
      again,
    });
  }

  #tell(failure: Failure | undefined): void {
    if (failure === undefined && !this.#away) return;
    this.#away = failure !== undefined;
    this.#options.onAway?.(failure);
  }

  async #attempt<T>(of: string, request: (call: OpenCall) => Promise<T>): Promise<ReadAnswer<T>> {
    const { clock, signal, callTimeoutMs } = this.#options;
    if (signal.aborted) return interrupted;
    const permit = this.#permits.request();
    const onAbort = (): void => this.#permits.cancel(permit);
    signal.addEventListener('abort', onAbort, { once: true });
    const granted = await permit.granted;
    signal.removeEventListener('abort', onAbort);
    if (!granted) return interrupted;
    const startedAt = clock.monotonic();
    this.#calls++;
    const call = this.#hold.begin(of, startedAt);
    try {
      const value = await this.#open.run(callTimeoutMs, signal, request);
      this.#observe(call);
      return { ok: true, value };
    } catch (thrown) {
      if (signal.aborted) return interrupted;
      const failure = classify(toCallError(thrown), clock.wall());
      this.#observe(call, failure);
      return { ok: false, failure };
    } finally {
      this.#hold.ended(call, 'unanswered');
      this.#permits.release(permit);
    }
  }

  #observe(call: Call, failure?: Failure): void {
    const { clock, rate } = this.#options;
    rate.observe({
      startedAt: call.startedAt,
      endedAt: clock.monotonic(),
      ...(failure !== undefined && { failure }),
    });
    this.#hold.ended(call, failure ?? 'accepted');
  }
}

/** Failures that may not recur at the next attempt. */
const passing: ReadonlySet<FailureKind> = new Set(['retryable', 'unreachable', 'conflict', 'unidentified']);

/** Failures that mean that the API itself is unreachable or unwell. */
const away: ReadonlySet<FailureKind> = new Set(['retryable', 'unreachable', 'unidentified']);

/** Classified as `unidentified`. */
function notAnAnswer(what: string): Error {
  return Object.assign(new Error(`the answer is not ${what}`), {
    name: 'Unknown',
    $metadata: { httpStatusCode: 200 },
  });
}

function page(nextToken: string | undefined) {
  return { MaxResults: PAGE_SIZE, ...(nextToken !== undefined && { NextToken: nextToken }) };
}

/** The objects in what should be a list of objects. */
function objects(value: unknown): readonly object[] {
  return Array.isArray(value)
    ? value.filter((item): item is object => typeof item === 'object' && item !== null)
    : [];
}

/** The reader's own signal aborted. Callers check the signal. */
const interrupted = {
  ok: false,
  failure: { kind: 'internal', name: 'AbortError', message: 'interrupted' },
} as const;
