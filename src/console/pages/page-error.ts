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
