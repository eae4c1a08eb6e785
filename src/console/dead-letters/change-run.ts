/** One change of dead letters, from its plan to the end of what it has moved. */
import type { PurgeReport } from '../../dead-letters/changes/purge.ts';
import type { RedriveReport } from '../../dead-letters/changes/redrive.ts';
import type { Away, OpenRequests } from '../../dead-letters/pass/open-requests.ts';
import type { Asked } from './asked.ts';

/**
 *   planning  a pass finds out what it would change
 *   planned   shown, and waits for the word of a person; nothing is changed yet
 *   moving    letters are put back, or deleted
 *   canaries  the first ones were put back; the others wait for their end
 *   ending    the end of those that were put back is waited for
 *   waiting   it was gone on with after a kill: letters that the killed process held are seen by nobody for a while
 *   stopping  somebody has stopped it: the request under way is completed
 *   ended     done, or stopped early: `report` and `fault` say how
 *   dropped   it was not carried out: somebody dropped the plan, or stopped its making
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

/** By whom it was planned, and why. */
export interface ChangeFacts extends Deed {
  readonly id: string;
  readonly asked: Asked;
}

/** What is typed to carry a plan out that deletes. */
export function phraseOf({ facts, chosen }: ChangeRun): string {
  return `${facts.asked.action} ${chosen.size}`;
}

/** What an earlier process has left of a change. */
export interface Earlier {
  /** Whether it has let go of all letters that it held; those of a killed one are seen by nobody until its lease is over. */
  readonly letGo: boolean;
  /** Letters that it has named in the log as put back. */
  readonly named: ReadonlySet<string>;
}

export class ChangeRun {
  readonly facts: ChangeFacts;
  /** What it asks of SQS. */
  readonly requests: OpenRequests;
  /** Epoch milliseconds. */
  readonly begunAt: number;
  readonly #now: () => number;
  #state: ChangeState = 'planning';
  #stateSince: number;
  /** What the plan showed; a later letter was not agreed to. */
  plan: RedriveReport | PurgeReport | undefined;
  chosen: ReadonlySet<string> = new Set();
  /** Letters that this process has put back or deleted so far. */
  sentNow = 0;
  report: RedriveReport | PurgeReport | undefined;
  /** Why it could not be planned, or ended early: a sentence. */
  fault: string | undefined;
  /** What else went wrong, and left what was done as it is: a sentence each, without its full stop. */
  readonly notes: string[] = [];
  /** It was begun by an earlier process. */
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

  /** Letters put back or deleted so far, also before a restart. */
  get sent(): number {
    return this.sentBefore + this.sentNow;
  }

  /** Letters put back before a restart. */
  get sentBefore(): number {
    return this.#sentBefore.size;
  }

  /** A letter of it is on the dead-letter queue. Where the log names it as put back it was not, or not deleted: a log is written before. */
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

  /** Who had the plan carried out. */
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

  /** Of a plan. */
  confirm(deed: Deed): void {
    this.become('moving');
    this.#confirmedBy = deed;
  }

  /** Of a plan. */
  drop(deed: Deed): void {
    this.become('dropped');
    this.#stoppedBy = deed;
  }

  /** Of what is under way. */
  stop(deed: Deed): void {
    this.become('stopping');
    this.#stoppedBy = deed;
    this.#stopped.abort();
  }

  /** @throws Error for a step that there is not: a bug. */
  become(state: ChangeState): void {
    if (!next[this.#state].includes(state))
      throw new Error(`a change that is ${this.#state} cannot become ${state}`);
    this.#state = state;
    this.#stateSince = this.#now();
  }

  /** Since when SQS does not answer; undefined while it does. */
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
