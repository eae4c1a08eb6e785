/** What routes of the API make of what they were asked. PURE. */
import type { Asked } from './route.ts';

/** Who does it, and why, as the log of changes has it. */
export function deedOf({ visitor }: Pick<Asked<unknown, unknown>, 'visitor'>, why: string) {
  return { who: `${visitor.name}@console`, why };
}

type Defined<T> = { [Name in keyof T]: Exclude<T[Name], undefined> };

/** Without what was not given. */
export function defined<T extends object>(all: T): Defined<T> {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Defined<T>;
}
