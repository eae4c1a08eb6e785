/**
 * A job's states and what leads from one to another. PURE.
 *
 *   planned    its rows are being entered
 *   scheduled  released, and not due: its time has not come, or the daily window is closed
 *   running    its rows may be sent; whether a process is there to send them, the lease says
 *   paused     nothing is sent; a sender stays, and follows what is in flight
 *   stopping   nothing more is sent; what is in flight is waited for, then it is what it stops towards
 *   stopped    by a person, a signal, the deadline or a failure; can be resumed
 *   aborted    by one of its rules, also when all rows have ended since; can be resumed
 *   done       every row has ended; failed ones can be tried again
 *   cancelled  for good: rows that were not sent end `not-sent`
 *   elsewhere  another ledger has it: it was moved there, or this is a copy; it is only looked at here
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

/** Where a stopping job comes to rest. */
export const restingStates = ['stopped', 'aborted', 'cancelled'] as const;
export type RestingState = (typeof restingStates)[number];

/** The state a job is in, since when, and by whose word. */
export interface JobState {
  readonly name: JobStateName;
  /** Of a stopping job. */
  readonly towards?: RestingState;
  /** Epoch milliseconds. */
  readonly since: number;
  /** `user@host` of a person; `user@host, a rule` where the job's own rules decided. */
  readonly who: string;
  /** The reason given, as a sentence without its full stop. */
  readonly why?: string;
  /** Of a job that is elsewhere: the state that it was in here, or is in there. */
  readonly kept?: JobState;
  /** It came here as a copy, and was not sent from here since. */
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
  /** What it does, as the reference says it. */
  readonly text: string;
  readonly from: readonly JobStateName[];
  readonly to: JobStateName | 'towards' | 'kept';
  readonly towards?: RestingState;
}

/** Every change of state that there is. What is not here does not happen: the event is refused, and nothing is written. */
export const transitions: Readonly<Record<JobEvent, Transition>> = {
  release: { text: 'its rows may be sent', from: ['planned'], to: 'running' },
  wait: { text: 'it is not due', from: ['planned', 'running'], to: 'scheduled' },
  due: { text: 'its time has come', from: ['scheduled'], to: 'running' },
  pause: {
    text: '`jobs pause`, or it waits for a word',
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
 * The state that an event leads to; undefined where it changes nothing.
 * A job that is being cancelled is neither resumed, stopped nor aborted any more.
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
