/** What a send that failed as a whole means for its messages: the rules of docs/producers.md, as in producers/python. PURE. */
import { cannotHaveArrived } from '../aws/errors.ts';
import { ForeignAnswerError } from '../aws/foreign.ts';
import { errorFacts, isForOneMessage, isTransient, sqsErrorKind } from './errors.ts';

export interface SendFailure {
  /**
   * - `transient`: the same request may succeed later.
   * - `message` and `unclear`: because of one of the messages, certainly or perhaps ({@link isForOneMessage}).
   * - `final`: trying again is useless.
   */
  readonly kind: 'transient' | 'message' | 'unclear' | 'final';
  /** The messages may have arrived: the answer was lost, or proves nothing. */
  readonly mayHaveArrived: boolean;
}

/** The first status that means an error: SQS does not redirect. */
const FIRST_ERROR = 400;

/**
 * Of the failures that may pass, only throttling and a connection that was never made show that nothing has arrived. An answer
 * that cannot be read, or has no code, proves nothing, whatever its status.
 */
export function sendFailureOf(error: unknown): SendFailure {
  const { message, status, code } = errorFacts(error);
  if (error instanceof ForeignAnswerError || (status ?? FIRST_ERROR) < FIRST_ERROR)
    return { kind: 'transient', mayHaveArrived: true };
  const about = isForOneMessage(error);
  if (about !== 'no') return { kind: about, mayHaveArrived: false };
  if (!isTransient(error)) return { kind: 'final', mayHaveArrived: false };
  // A request that got an answer has arrived, whatever the answer says.
  const neverSent = status === undefined && cannotHaveArrived(code, message);
  const nothingArrived = sqsErrorKind(error) === 'throttled' || neverSent;
  return { kind: 'transient', mayHaveArrived: !nothingArrived };
}
