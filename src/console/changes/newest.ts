/** The latest changes of all logs together. */

/** One change; texts are not escaped. */
export interface ShownChange {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly who: string;
  readonly what: string;
  /** Where to look at what was changed. */
  readonly link?: string;
  readonly why: string;
  readonly detail: string;
}

/** What one source of changes says, or why it says nothing. */
type ChangesAnswer = readonly ShownChange[] | { readonly away: string };

/** By what they are changes of. None rejects. */
export type ChangeSources = Readonly<Record<string, (most: number) => Promise<ChangesAnswer>>>;

export interface NewestChanges {
  readonly shown: readonly ShownChange[];
  /** How many were read of all logs. */
  readonly read: number;
  readonly away: readonly { readonly name: string; readonly why: string }[];
}

/** @param most each source is asked for as many. */
export async function newestChanges(sources: ChangeSources, most: number): Promise<NewestChanges> {
  const answers = await Promise.all(
    Object.entries(sources).map(async ([name, ask]) => ({ name, answer: await ask(most) })),
  );
  const changes = answers.flatMap(({ answer }) => ('away' in answer ? [] : answer));
  return {
    shown: changes.toSorted((a, b) => b.at - a.at).slice(0, most),
    read: changes.length,
    away: answers.flatMap(({ name, answer }) => ('away' in answer ? [{ name, why: answer.away }] : [])),
  };
}
