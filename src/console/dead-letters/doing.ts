/** What the desk does now. PURE. */
import type { ChangeRun } from './change-run.ts';

/** One thing at a time. */
export type Doing =
  | { readonly what: 'nothing' }
  /** `seen`: letters so far. */
  | { readonly what: 'looking'; readonly seen: number; readonly since: number }
  | { readonly what: 'changing'; readonly change: ChangeRun };
