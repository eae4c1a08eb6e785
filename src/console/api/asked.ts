/** Helps API routes to use their requests. PURE. */
import type { Asked } from './route.ts';

/** Who does it and why, in the form of the log of changes. */
export function deedOf({ visitor }: Pick<Asked<unknown, unknown>, 'visitor'>, why: string) {
  return { who: `${visitor.name}@console`, why };
}

type Defined<T> = { [Name in keyof T]: Exclude<T[Name], undefined> };

/** Without the fields that were not given. */
export function defined<T extends object>(all: T): Defined<T> {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Defined<T>;
}
