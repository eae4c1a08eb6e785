/**
 * A job's states and the transitions between them. PURE.
 *
 *   planned    its rows are being entered
 *   scheduled  released, but not due: its time has not come, or the daily window is closed
 *   running    its rows may be sent; the lease shows whether a process sends them
 *   paused     nothing is sent; a sender stays and follows what is in flight
 *   stopping   nothing more is sent; once what is in flight has ended, the job enters the state it stops towards
 *   stopped    by a person, a signal, the deadline or a failure; can be resumed
 *   aborted    by one of its rules, even if all rows have ended since; can be resumed
 *   done       every row has ended; failed rows can be tried again
 *   cancelled  for good: rows that were not sent end `not-sent`
 *   elsewhere  another ledger has it: it was moved there, or this is a copy; here it can only be read
 */
export const jobStates = [
  'planned',
  'scheduled',
  'running',
  'paused',
  'stopping',
  'stopped',
  'aborted',
  'done',
  'cancelled',
  'elsewhere',
] as const;
type JobStateName = (typeof jobStates)[number];

/** The states that a stopping job can come to rest in. */
export const restingStates = ['stopped', 'aborted', 'cancelled'] as const;
export type RestingState = (typeof restingStates)[number];

/** The state of a job, since when, and who caused it. */
export interface JobState {
  readonly name: JobStateName;
  /** The state that a stopping job will reach. */
  readonly towards?: RestingState;
  /** Epoch milliseconds. */
  readonly since: number;
  /** `user@host` for a person; `user@host, a rule` if the job's own rules decided. */
  readonly who: string;
  /** The reason given, as a sentence without its full stop. */
  readonly why?: string;
  /** For a job that is elsewhere: the state that it had here, or has there. */
  readonly kept?: JobState;
  /** It came here as a copy and has not been sent from here since. */
  readonly isCopy?: true;
}

/** What happens to a job. */
export const jobEvents = [
  'release',
  'wait',
  'due',
  'pause',
  'resume',
  'retry',
  'stop',
  'abort',
  'cancel',
  'settle',
  'finish',
  'move',
  'take-over',
] as const;
export type JobEvent = (typeof jobEvents)[number];

interface Transition {
  /** What the event does, in the words of the reference. */
  readonly text: string;
  readonly from: readonly JobStateName[];
  readonly to: JobStateName | 'towards' | 'kept';
  readonly towards?: RestingState;
}

/** Every possible change of state. Any other event is refused, and nothing is written. */
export const transitions: Readonly<Record<JobEvent, Transition>> = {
  release: { text: 'its rows may be sent', from: ['planned'], to: 'running' },
  wait: { text: 'it is not due', from: ['planned', 'running'], to: 'scheduled' },
  due: { text: 'its time has come', from: ['scheduled'], to: 'running' },
  pause: {
    text: '`jobs pause`, or it waits for confirmation',
    from: ['planned', 'scheduled', 'running'],
    to: 'paused',
  },
  resume: {
    text: '`jobs resume` or `jobs apply`',
    from: ['paused', 'stopping', 'stopped', 'aborted'],
    to: 'running',
  },
  retry: {
    text: '`jobs retry`, `jobs reconcile`, or another file of `enqueue --job`',
    from: ['done', 'stopped', 'aborted', 'paused'],
    to: 'running',
  },
  stop: {
    text: '`jobs stop`, an interrupt, its deadline, or a failure',
    from: ['planned', 'scheduled', 'running', 'paused'],
    to: 'stopping',
    towards: 'stopped',
  },
  abort: {
    text: 'one of its rules',
    from: ['scheduled', 'running', 'paused', 'stopping'],
    to: 'stopping',
    towards: 'aborted',
  },
  cancel: {
    text: '`jobs cancel`',
    from: ['planned', 'scheduled', 'running', 'paused', 'stopping', 'stopped', 'aborted'],
    to: 'stopping',
    towards: 'cancelled',
  },
  settle: { text: 'nothing is in flight, or nothing ends any more', from: ['stopping'], to: 'towards' },
  finish: {
    text: 'every row has ended',
    from: ['planned', 'scheduled', 'running', 'paused', 'stopped'],
    to: 'done',
  },
  move: {
    text: '`jobs export`',
    from: ['planned', 'paused', 'stopped', 'aborted', 'done'],
    to: 'elsewhere',
  },
  'take-over': {
    text: '`jobs import --take-over`, or an export that could not be written',
    from: ['elsewhere'],
    to: 'kept',
  },
};

/**
 * The state that an event leads to; undefined if it changes nothing.
 * A job that is being cancelled can no longer be resumed, stopped or aborted.
 */
export function nextState(
  state: Pick<JobState, 'name' | 'towards' | 'kept'>,
  event: JobEvent,
): Pick<JobState, 'name' | 'towards'> | undefined {
  const { from, to, towards } = transitions[event];
  if (!from.includes(state.name)) return undefined;
  if (to === 'kept') return state.kept === undefined ? undefined : { name: state.kept.name };
  if (to === 'towards') return state.towards === undefined ? undefined : { name: state.towards };
  const already = state.name === to && state.towards === towards;
  if (already || (state.towards === 'cancelled' && to !== 'stopping' && event !== 'settle')) return undefined;
  if (state.towards === 'cancelled' && towards !== 'cancelled') return undefined;
  return { name: to, ...(towards !== undefined && { towards }) };
}
