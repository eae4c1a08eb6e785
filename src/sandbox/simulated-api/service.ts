import * as answers from './answers.ts';
import type { CallStatus } from './call-log.ts';
import { readConfiguration } from './configuration-body.ts';
import { ConfigurationStore } from './configurations.ts';
import { executions, processingDetails } from './devices.ts';
import { faultDrawer, latencyDrawer, type Random } from './faults.ts';
import { type CallLimit, createLimit } from './limits/index.ts';
import { listPage } from './listing.ts';
import { ScriptBook, type ScriptedAnswer, scriptedToAnswer } from './scripts.ts';
import {
  type Fault,
  mergeSettings,
  type Operation,
  parseOrRefuse,
  SimulatedApiSettings,
} from './settings.ts';
import { TaskStore, taskArn } from './tasks.ts';
import { identifierViolation, type ReadBody, violationMessage } from './validation.ts';

/** How a request is answered, after `delayMs`. */
export interface Decision {
  readonly ending: answers.Answer | 'hang' | 'reset';
  readonly status: CallStatus;
  readonly applied: boolean;
  readonly throttled: boolean;
  readonly delayMs: number;
  /** To be called once, when the call is about to be answered or its client has gone. */
  readonly ended: () => void;
}

/** Who calls. */
export interface Caller {
  /** Whether the caller has credentials. */
  readonly authorized: boolean;
  /** The connection: a whole number from 0. */
  readonly connection: number;
}

type Outcome = Omit<Decision, 'delayMs' | 'ended'>;

/**
 * The service without HTTP: decides the answer to a request, and applies its update, when it is called.
 * Order: scripted answer (only with credentials) -> down -> no credentials -> expired -> denied -> throttled -> fault ->
 * validation -> not found -> applied.
 */
export class Service {
  readonly scripts = new ScriptBook();
  readonly tasks: TaskStore;
  readonly #configurations: ConfigurationStore;
  readonly #now: () => number;
  readonly #elapsed: () => number;
  readonly #random: Random;
  #settings: SimulatedApiSettings;
  #limit: CallLimit | null;
  #inFlight = 0;
  #isDenied: (identifier: string) => boolean = () => false;
  #drawFault: () => Fault | null = () => null;
  #drawLatency: () => number = () => 0;

  /**
   * @param now milliseconds since the epoch. @param elapsed milliseconds since some start, which never jump.
   * @throws InvalidSettingsError
   */
  constructor(settings: unknown, now: () => number, elapsed: () => number, random: Random) {
    this.#now = now;
    this.#elapsed = elapsed;
    this.#random = random;
    this.#settings = Object.freeze(parseOrRefuse(SimulatedApiSettings, settings));
    this.tasks = new TaskStore(this.#settings.tasks, now());
    this.#configurations = new ConfigurationStore(this.#settings.configurations, now(), random);
    this.#limit = this.#settings.limit && createLimit(this.#settings.limit, elapsed(), random);
    this.#prepare();
  }

  get settings(): SimulatedApiSettings {
    return this.#settings;
  }

  /**
   * Changes the settings from the next request on.
   * @throws InvalidSettingsError; then nothing is changed.
   */
  configure(patch: unknown): void {
    const before = this.#settings;
    this.#settings = mergeSettings(before, patch);
    const { limit, tasks, configurations } = this.#settings;
    if (limit === null) this.#limit = null;
    else if (this.#limit === null) this.#limit = createLimit(limit, this.#elapsed(), this.#random);
    else this.#limit.change(limit, this.#elapsed());
    if (Object.hasOwn(patch as object, 'tasks')) this.tasks.setPopulation(tasks);
    if (Object.hasOwn(patch as object, 'configurations')) this.#configurations.setPopulation(configurations);
    this.#prepare();
  }

  update(identifier: string, body: ReadBody, caller: Caller): Decision {
    const script = caller.authorized ? this.scripts.next(identifier) : null;
    if (script !== null) return this.#scripted(script, identifier, body);
    return this.#answer('UpdateOtaTask', identifier, caller, () => {
      const fault = this.#drawFault();
      return fault === null ? this.#apply(identifier, body) : this.#faulty(fault, identifier, body);
    });
  }

  get(identifier: string, caller: Caller): Decision {
    return this.#answer('GetOtaTask', identifier, caller, () => {
      const violation = identifierViolation(identifier);
      if (violation !== null) return answered(answers.validationFailure(violationMessage([violation])));
      const task = this.tasks.get(identifier);
      if (task === undefined) return answered(answers.notFound(identifier));
      this.tasks.touch(identifier);
      const { devices } = this.#settings;
      const details = processingDetails(devices, this.tasks.deviceFacts(task), this.#now());
      return answered(answers.ok({ ...task, TaskProcessingDetails: details }));
    });
  }

  list(query: unknown, caller: Caller): Decision {
    return this.#answer('ListOtaTasks', null, caller, () =>
      answered(listPage('ota-tasks', 'Tasks', query, (start, count) => this.tasks.page(start, count))),
    );
  }

  executions(identifier: string, query: unknown, caller: Caller): Decision {
    return this.#answer('ListOtaTaskExecutions', identifier, caller, () => {
      const task = this.tasks.get(identifier);
      if (task === undefined) return answered(answers.notFound(identifier));
      const { devices } = this.#settings;
      const facts = this.tasks.deviceFacts(task);
      return answered(
        listPage(`ota-tasks/${identifier}/devices`, 'ExecutionSummaries', query, (start, count) => ({
          items: executions(devices, facts, this.#now(), start, count),
          next: start + count < devices.perTask ? start + count : null,
        })),
      );
    });
  }

  configuration(id: string, caller: Caller): Decision {
    return this.#answer('GetOtaTaskConfiguration', null, caller, () => {
      const found = this.#configurations.get(id);
      return answered(found === undefined ? answers.noConfiguration(id) : answers.ok(found));
    });
  }

  configurations(query: unknown, caller: Caller): Decision {
    return this.#answer('ListOtaTaskConfigurations', null, caller, () =>
      answered(
        listPage('ota-task-configurations', 'Items', query, (start, count) =>
          this.#configurations.page(start, count),
        ),
      ),
    );
  }

  createConfiguration(body: string | undefined, caller: Caller): Decision {
    return this.#answer('CreateOtaTaskConfiguration', null, caller, () => {
      const read = readConfiguration(body);
      if (read === 'malformed') return answered(answers.malformedBody);
      if ('violations' in read) return answered(answers.validationFailure(violationMessage(read.violations)));
      const created = this.#configurations.create(read.input, this.#now());
      return answered(
        created === 'conflict' ? answers.tokenConflict : answers.ok({ TaskConfigurationId: created.id }, 201),
      );
    });
  }

  #prepare(): void {
    const { denied, faults, latency } = this.#settings;
    this.#isDenied = denialOf(denied);
    this.#drawFault = faultDrawer(faults, this.#random);
    this.#drawLatency = latencyDrawer(latency, this.#random);
  }

  /** Answers with `perform`, unless the call is refused first. */
  #answer(operation: Operation, identifier: string | null, caller: Caller, perform: () => Outcome): Decision {
    const refusal = this.#refusal(operation, identifier, caller);
    if (refusal !== null) return this.#timed(refusal);
    const isLimited = operation === 'UpdateOtaTask' || this.#settings.limitReads;
    // The limit may have been replaced by the time the call ends.
    const limit = isLimited ? this.#limit : null;
    if (limit?.admit({ at: this.#elapsed(), connection: caller.connection }) === false)
      return this.#timed(
        answered(answers.throttled(this.#settings.retryAfterSeconds, this.#settings.awsRetryAfterMs)),
      );
    return this.#timed(perform(), () => limit?.ended(this.#elapsed()));
  }

  #refusal(operation: Operation, identifier: string | null, { authorized }: Caller): Outcome | null {
    const { down, expiredCredentials, denied, deniedOperations } = this.#settings;
    if (down) return answered(answers.internalError);
    if (!authorized) return answered(answers.missingToken);
    if (expiredCredentials) return answered(answers.expiredToken);
    if (
      denied === 'all' ||
      deniedOperations.includes(operation) ||
      (identifier !== null && this.#isDenied(identifier))
    ) {
      return answered(answers.accessDenied(operation, identifier === null ? '*' : taskArn(identifier)));
    }
    return null;
  }

  #apply(identifier: string, body: ReadBody): Outcome {
    if (body.malformed) return answered(answers.malformedBody);
    const wrong = identifierViolation(identifier);
    const violations = wrong === null ? body.violations : [wrong, ...body.violations];
    if (violations.length > 0) return answered(answers.validationFailure(violationMessage(violations)));
    if (!this.tasks.has(identifier)) return answered(answers.notFound(identifier));
    const { TaskConfigurationId: id } = body.input;
    if (id !== undefined && this.#settings.refuseUnknownConfigurations && !this.#configurations.has(id)) {
      return answered(answers.noConfiguration(id));
    }
    this.tasks.apply(identifier, body.input, this.#now());
    return applied;
  }

  #applyThenReset(identifier: string, body: ReadBody): Outcome {
    const outcome = this.#apply(identifier, body);
    return outcome.applied ? appliedThenReset : outcome;
  }

  #faulty(fault: Fault, identifier: string, body: ReadBody): Outcome {
    switch (fault) {
      case 'internalError':
        return answered(answers.internalError);
      case 'throttle':
        return answered(
          answers.throttled(this.#settings.faults.throttleRetryAfterSeconds, this.#settings.awsRetryAfterMs),
        );
      case 'hang':
        return hung;
      case 'reset':
        return wasReset;
      case 'resetAfterApply':
        return this.#applyThenReset(identifier, body);
      case 'html503':
        return answered(answers.htmlUnavailable);
    }
  }

  #scripted(script: ScriptedAnswer, identifier: string, body: ReadBody): Decision {
    switch (script) {
      case 'apply':
        return this.#timed(this.#apply(identifier, body));
      case 'apply-then-reset':
        return this.#timed(this.#applyThenReset(identifier, body));
      case 'hang':
        return this.#timed(hung);
      case 'reset':
        return this.#timed(wasReset);
      default: {
        const outcome = answered(scriptedToAnswer(script));
        const decision = this.#timed(outcome);
        return script.delayMs === undefined ? decision : { ...decision, delayMs: script.delayMs };
      }
    }
  }

  #timed(outcome: Outcome, release?: () => void): Decision {
    const { ending, status, applied, throttled } = outcome;
    const delayMs = this.#drawLatency() + this.#inFlight * this.#settings.latencyPerCallInFlightMs;
    this.#inFlight += 1;
    const ended = (): void => {
      this.#inFlight -= 1;
      release?.();
    };
    return { ending, status, applied, throttled, delayMs, ended };
  }
}

const nothing = { applied: false, throttled: false };
const hung: Outcome = { ending: 'hang', status: 'hang', ...nothing };
const wasReset: Outcome = { ending: 'reset', status: 'reset', ...nothing };
const applied: Outcome = { ending: answers.noContent, status: 204, applied: true, throttled: false };
const appliedThenReset: Outcome = { ...applied, ending: 'reset', status: 'apply-then-reset' };

function answered(answer: answers.Answer): Outcome {
  const name = answer.headers['x-amzn-errortype'];
  const throttled = answer.status === 429 || (name?.startsWith('Throttling') ?? false);
  return { ending: answer, status: answer.status, applied: false, throttled };
}

function denialOf(denied: SimulatedApiSettings['denied']): (identifier: string) => boolean {
  if (typeof denied === 'string') return () => false;
  if ('prefix' in denied) return (identifier) => identifier.startsWith(denied.prefix);
  const identifiers = new Set(denied);
  return (identifier) => identifiers.has(identifier);
}
