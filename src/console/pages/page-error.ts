/** A fault of the user, or something that does not exist: shown as a page. */
export class PageError extends Error {
  override readonly name = 'PageError';
  readonly status: number;

  /** @param message a sentence that says what to do. */
  constructor(message: string, status = 400) {
    super(message);
    this.status = status;
  }
}

/** It is unknown whether a change was made, or made in part: do not report that nothing was changed. */
export class OutcomeUnknown extends PageError {
  /** Why, as a sentence without its full stop. */
  readonly why: string;

  /** @param why with or without its full stop. @param so what is known all the same: a clause. */
  constructor(why: string, so = 'it is not known whether this was done, and it may still be done') {
    const reason = why.replace(/\.$/, '');
    super(`${reason}: ${so}. Look at the log of changes before you do it again.`, 504);
    this.why = reason;
  }
}

/** A change ended halfway: part of it is done. Repeating the same request does the rest. */
export class PartlyDone extends OutcomeUnknown {
  constructor(why: string) {
    super(why, 'a part of this was done before');
  }
}

/** A change was not begun, because it could not be logged first; its line may be in the log all the same. */
export class NotDone extends OutcomeUnknown {
  constructor(why: string) {
    super(why, 'this was not done, though the log of changes may say that it was');
  }
}
