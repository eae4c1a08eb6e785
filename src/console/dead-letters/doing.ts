/** What the desk is doing now. PURE. */
import type { Away, OpenRequests } from '../../dead-letters/pass/open-requests.ts';
import type { ChangeRun } from './change-run.ts';

/** One thing at a time. */
export type Doing =
  | { readonly what: 'nothing' }
  /** `seen`: letters so far. */
  | {
      readonly what: 'looking';
      readonly seen: number;
      readonly since: number;
      readonly requests: OpenRequests;
    }
  | { readonly what: 'changing'; readonly change: ChangeRun };

/** Since when SQS has not answered for the work in progress; undefined while it answers. */
export function awayOf(doing: Doing): Away | undefined {
  switch (doing.what) {
    case 'nothing':
      return undefined;
    case 'looking':
      return doing.requests.away;
    case 'changing':
      return doing.change.away;
  }
}
