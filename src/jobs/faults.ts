/** How a jobs command ends early. Misuse is enqueue's InputFault; this is the rest. The message is fit to print. */

/** The request is good and the surroundings are not: no ledger, no queue, another process at work. */
export class JobFailure extends Error {
  override readonly name = 'JobFailure';
}
