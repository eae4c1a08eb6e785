/** One change of dead letters, from its plan to the ends of the letters it has moved. */
import type { PurgeReport } from '../../dead-letters/changes/purge.ts';
import type { RedriveReport } from '../../dead-letters/changes/redrive.ts';
import type { Away, OpenRequests } from '../../dead-letters/pass/open-requests.ts';
import type { Asked } from './asked.ts';

/**
 *   planning  a pass finds out what it would change
 *   planned   shown, and waits for a person's approval; nothing is changed yet
 *   moving    letters are put back, or deleted
 *   canaries  the first letters were put back; the others wait for their ends
 *   ending    waits for the ends of the letters that were put back
 *   waiting   continued after a kill: letters that the killed process held are invisible for a while
 *   stopping  somebody has stopped it: the request in progress is completed
 *   ended     done, or stopped early: `report` and `fault` say how
 *   dropped   not carried out: somebody dropped the plan, or stopped its making
 */
export const changeStates = [
  'planning',
  'planned',
  'moving',
  'canaries',
  'ending',
  'waiting',
  'stopping',
  'ended',
  'dropped',
] as const;
export type ChangeState = (typeof changeStates)[number];

const next: Readonly<Record<ChangeState, readonly ChangeState[]>> = {
  planning: ['planned', 'stopping', 'ended'],
  planned: ['moving', 'dropped'],
  moving: ['canaries', 'ending', 'waiting', 'stopping', 'ended'],
  canaries: ['moving', 'ending', 'stopping', 'ended'],
  ending: ['stopping', 'ended'],
  waiting: ['moving', 'stopping', 'ended'],
  stopping: ['ended', 'dropped'],
  ended: [],
  dropped: [],
};

/** Who does something, and why. */
export interface Deed {
  readonly by: string;
  readonly reason: string;
}

/** Who planned it, and why. */
export interface ChangeFacts extends Deed {
  readonly id: string;
  readonly asked: Asked;
}

/** What a person must type to carry out a plan that deletes letters. */
export function phraseOf({ facts, chosen }: ChangeRun): string {
  return `${facts.asked.action} ${chosen.size}`;
}

/** What an earlier process left of a change. */
export interface Earlier {
  /** Whether it released all letters that it held; those of a killed process are invisible until its lease is over. */
  readonly letGo: boolean;
  /** Letters that the log names as put back. */
  readonly named: ReadonlySet<string>;
}

export class ChangeRun {
  readonly facts: ChangeFacts;
  /** Its open requests to SQS. */
  readonly requests: OpenRequests;
  /** Epoch milliseconds. */
  readonly begunAt: number;
  readonly #now: () => number;
  #state: ChangeState = 'planning';
  #stateSince: number;
  /** What the plan showed; later letters were not approved. */
  plan: RedriveReport | PurgeReport | undefined;
  chosen: ReadonlySet<string> = new Set();
  /** Letters that this process has put back or deleted so far. */
  sentNow = 0;
  report: RedriveReport | PurgeReport | undefined;
  /** Why it could not be planned, or ended early: a sentence. */
  fault: string | undefined;
  /** Other faults, which do not affect what was done: one sentence each, without its full stop. */
  readonly notes: string[] = [];
  /** An earlier process began it. */
  readonly resumed: boolean;
  /** Whether the process that began it may still hold letters. */
  mayBeHeld: boolean;
  readonly #sentBefore: Set<string>;
  readonly #stopped = new AbortController();
  #confirmedBy: Deed | undefined;
  #stoppedBy: Deed | undefined;

  constructor(facts: ChangeFacts, requests: OpenRequests, now: () => number, earlier?: Earlier) {
    this.facts = facts;
    this.requests = requests;
    this.resumed = earlier !== undefined;
    this.mayBeHeld = earlier !== undefined && !earlier.letGo;
    this.#sentBefore = new Set(earlier?.named);
    this.#now = now;
    this.begunAt = this.#stateSince = now();
  }

  /** Letters put back or deleted so far, including before a restart. */
  get sent(): number {
    return this.sentBefore + this.sentNow;
  }

  /** Letters put back before a restart. */
  get sentBefore(): number {
    return this.#sentBefore.size;
  }

  /** A letter of it is on the dead-letter queue: the log, written in advance, names it as put back, but it was not, or not deleted. */
  saw(messageId: string): void {
    this.#sentBefore.delete(messageId);
  }

  get state(): ChangeState {
    return this.#state;
  }

  /** Epoch milliseconds. */
  get stateSince(): number {
    return this.#stateSince;
  }

  /** Who approved the plan. */
  get confirmed(): Deed | undefined {
    return this.#confirmedBy;
  }

  /** Who stopped it, or dropped its plan. */
  get stopped(): Deed | undefined {
    return this.#stoppedBy;
  }

  /** Aborts when somebody stops it. */
  get stopSignal(): AbortSignal {
    return this.#stopped.signal;
  }

  /** Approves a plan. */
  confirm(deed: Deed): void {
    this.become('moving');
    this.#confirmedBy = deed;
  }

  /** Drops a plan. */
  drop(deed: Deed): void {
    this.become('dropped');
    this.#stoppedBy = deed;
  }

  /** Stops a change in progress. */
  stop(deed: Deed): void {
    this.become('stopping');
    this.#stoppedBy = deed;
    this.#stopped.abort();
  }

  /** @throws Error for an impossible step: a bug. */
  become(state: ChangeState): void {
    if (!next[this.#state].includes(state))
      throw new Error(`a change that is ${this.#state} cannot become ${state}`);
    this.#state = state;
    this.#stateSince = this.#now();
  }

  /** Since when SQS has not answered; undefined while it answers. */
  get away(): Away | undefined {
    return this.requests.away;
  }

  /** Whether there is something to stop. */
  get isUnderWay(): boolean {
    return next[this.#state].includes('stopping');
  }

  get isOver(): boolean {
    return this.#state === 'ended' || this.#state === 'dropped';
  }
}
