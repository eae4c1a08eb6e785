/** Tracks what some work has changed in the ledger, so that a partial change is not reported as not done. */
import type { Lease, Ledger } from '../../jobs/ledger/ledger.ts';
import { LedgerOutcomeUnknown } from '../../jobs/ledger/shared/error.ts';
import { OutcomeUnknown, PageError, PartlyDone } from '../pages/page-error.ts';

/** Methods that read, or store what workers and others have done. All other methods make changes that a user has asked for. */
const notChanging: ReadonlySet<string> = new Set<keyof Ledger | keyof Lease>([
  'close',
  'takesChanges',
  'job',
  'jobs',
  'activeJobs',
  'lastRow',
  'audit',
  'lastAudit',
  'isLeased',
  'exportJob',
  'count',
  'standing',
  'listed',
  'lastSent',
  'hasFormer',
  'measuredRate',
  'pages',
  'rowPage',
  'unmatched',
  'ofTask',
  'unended',
  'release',
  'end',
  'takeNotices',
  'noticeTold',
  'noticeFailed',
]);

export class MadeChanges {
  /** At least one change was made. */
  #some = false;
  /** For one change it is unknown whether it was made. */
  #unknown = false;

  /** The same ledger or lease, tracked. */
  watched<T extends Ledger | Lease>(target: T): T {
    return new Proxy(target, {
      get: (of, name) => {
        const method: unknown = Reflect.get(of, name, of);
        if (typeof method !== 'function') return method;
        const call = (given: unknown[]): unknown => Reflect.apply(method, of, given);
        if (name === 'lease') return async (...given: unknown[]) => this.#leased(await call(given));
        if (notChanging.has(String(name))) return (...given: unknown[]) => call(given);
        return async (...given: unknown[]) => await this.#noted(async () => await call(given));
      },
    });
  }

  /** The error to report when the work has ended with an error. */
  told(error: unknown): unknown {
    if (this.#some && error instanceof PageError) return new PartlyDone(error.message);
    if (this.#unknown) return new OutcomeUnknown('The connection to the ledger was lost before it answered');
    return error;
  }

  #leased(lease: unknown): unknown {
    return lease === undefined ? undefined : this.watched(lease as Lease);
  }

  async #noted<T>(change: () => Promise<T>): Promise<T> {
    try {
      const made = await change();
      // These results say that there was nothing to change.
      if (made !== false && made !== 0) this.#some = true;
      return made;
    } catch (error) {
      if (error instanceof LedgerOutcomeUnknown) this.#unknown = true;
      throw error;
    }
  }
}
