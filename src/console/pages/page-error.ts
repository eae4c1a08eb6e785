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

/** It is not known whether a change was made: what it waits for has not answered, and it may be made yet. */
export class OutcomeUnknown extends PageError {
  /** @param why a sentence without its full stop. */
  constructor(why: string) {
    super(
      `${why}: it is not known whether this was done, and it may be done yet. Look at the log of changes before you do it again.`,
      504,
    );
  }
}
