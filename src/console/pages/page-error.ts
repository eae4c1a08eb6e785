/** What the one who asks has got wrong, or what is not there: a page says it. */
export class PageError extends Error {
  override readonly name = 'PageError';
  readonly status: number;

  /** @param message a sentence that says what to do. */
  constructor(message: string, status = 400) {
    super(message);
    this.status = status;
  }
}

/** It is not known whether a change was made, or only a part of it was: nobody may say that nothing was changed. */
export class OutcomeUnknown extends PageError {
  /** Why, as a sentence without its full stop. */
  readonly why: string;

  /** @param why with its full stop or without. @param so what is known of it all the same: a clause. */
  constructor(why: string, so = 'it is not known whether this was done, and it may be done yet') {
    const reason = why.replace(/\.$/, '');
    super(`${reason}: ${so}. Look at the log of changes before you do it again.`, 504);
    this.why = reason;
  }
}

/** A change has ended in its middle: something of it is done. The same request, made again, does what is missing. */
export class PartlyDone extends OutcomeUnknown {
  constructor(why: string) {
    super(why, 'a part of this was done before');
  }
}

/** A change was not begun, since it was to be in the log first; its line may be there all the same. */
export class NotDone extends OutcomeUnknown {
  constructor(why: string) {
    super(why, 'this was not done, though the log of changes may say that it was');
  }
}
