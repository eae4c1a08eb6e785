/** What a send that failed as a whole means for its messages: the rules of docs/producers.md, as producers/python has them. PURE. */
import { cannotHaveArrived } from '../aws/errors.ts';
import { ForeignAnswerError } from '../aws/foreign.ts';
import { errorFacts, isForOneMessage, isTransient, sqsErrorKind } from './errors.ts';

export interface SendFailure {
  /**
   * - `transient`: the same request may succeed later.
   * - `message` and `unclear`: for one of the messages, certainly or perhaps ({@link isForOneMessage}).
   * - `final`: no use to try again.
   */
  readonly kind: 'transient' | 'message' | 'unclear' | 'final';
  /** The messages may be there all the same: the answer was lost, or says nothing. */
  readonly mayHaveArrived: boolean;
}

/** Of the first answer that is an error: SQS does not redirect. */
const FIRST_ERROR = 400;

/**
 * Only throttling, and a connection that was never made, show of a failure that may pass that nothing has arrived. An answer that
 * cannot be read, or has no code, says nothing, whatever its status.
 */
export function sendFailureOf(error: unknown): SendFailure {
  const { message, status, code } = errorFacts(error);
  if (error instanceof ForeignAnswerError || (status ?? FIRST_ERROR) < FIRST_ERROR)
    return { kind: 'transient', mayHaveArrived: true };
  const about = isForOneMessage(error);
  if (about !== 'no') return { kind: about, mayHaveArrived: false };
  if (!isTransient(error)) return { kind: 'final', mayHaveArrived: false };
  // What was answered has arrived, whatever it says.
  const neverSent = status === undefined && cannotHaveArrived(code, message);
  const nothingArrived = sqsErrorKind(error) === 'throttled' || neverSent;
  return { kind: 'transient', mayHaveArrived: !nothingArrived };
}
