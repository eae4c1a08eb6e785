/** The latest changes of all logs combined. */

/** One change; texts are not escaped. */
export interface ShownChange {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly who: string;
  readonly what: string;
  /** Where to see what was changed. */
  readonly link?: string;
  readonly why: string;
  readonly detail: string;
}

/** The answer of one source of changes, or why it does not answer. */
type ChangesAnswer = readonly ShownChange[] | { readonly away: string };

/** Sources by the kind of what they log. None rejects. */
export type ChangeSources = Readonly<Record<string, (most: number) => Promise<ChangesAnswer>>>;

export interface NewestChanges {
  readonly shown: readonly ShownChange[];
  /** Number of changes read from all logs. */
  readonly read: number;
  readonly away: readonly { readonly name: string; readonly why: string }[];
}

/** @param most number of changes requested from each source. */
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
