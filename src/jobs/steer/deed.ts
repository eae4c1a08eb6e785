/** Who does something to a job, and why. `why` is a sentence without its full stop. */
export interface Deed {
  readonly who: string;
  readonly why?: string | undefined;
}
