/** Combines the findings of all sources into updates. PURE. */
import {
  type End,
  type Finding,
  type OpenState,
  type Step,
  type UpdateSource,
  updateSources,
} from './finding.ts';

/** An update of the task, with everything the sources know about it. Times are epoch milliseconds. */
export interface KnownUpdate extends Omit<Finding, 'source' | 'letter' | 'open' | 'end'> {
  readonly sources: readonly UpdateSource[];
  /** undefined: no source knows an end. */
  readonly end: (End & { readonly source: UpdateSource }) | undefined;
  /** Its state in the ledger; undefined if it has ended, or belongs to no job of this ledger. */
  readonly open: OpenState | undefined;
  /** Its letters now on the dead-letter queue. */
  readonly letters: readonly NonNullable<Finding['letter']>[];
  /** The sort key: when it was decided on or sent, or else the first time known for it. */
  readonly at: number | undefined;
}

/**
 * Joins only findings that share a message: anyone who may send to the queue can repeat a JobId and a RequestId.
 * @returns the updates, oldest first; those of unknown time last.
 */
export function updatesOf(findings: readonly Finding[]): KnownUpdate[] {
  const place = (update: KnownUpdate): number => update.at ?? Number.MAX_VALUE;
  return groupsOf(findings)
    .map(toUpdate)
    .sort((a, b) => place(a) - place(b));
}

function groupsOf(findings: readonly Finding[]): Finding[][] {
  const groups = new Set<Finding[]>();
  const byMessage = new Map<string, Finding[]>();
  for (const finding of findings) {
    const joined = new Set(finding.messageIds.flatMap((id) => [byMessage.get(id) ?? []]));
    const group = [...joined].flat();
    group.push(finding);
    for (const old of joined) groups.delete(old);
    groups.add(group);
    for (const id of group.flatMap(({ messageIds }) => messageIds)) byMessage.set(id, group);
  }
  return [...groups];
}

function toUpdate(group: readonly Finding[]): KnownUpdate {
  const found = [...group].sort((a, b) => rank(a) - rank(b));
  const first = <Key extends keyof Finding>(key: Key): Finding[Key] | undefined =>
    found.find((finding) => finding[key] !== undefined)?.[key];
  const { end, earlier } = endsOf(found);
  const steps = [...found.flatMap((finding) => finding.steps), ...earlier].sort((a, b) => a.at - b.at);
  const { decidedAt, sentAt } = { decidedAt: first('decidedAt'), sentAt: first('sentAt') };
  return {
    sources: [...new Set(found.map(({ source }) => source))],
    messageIds: [...new Set(found.flatMap(({ messageIds }) => messageIds))],
    jobId: first('jobId'),
    row: first('row'),
    requestId: first('requestId'),
    values: first('values'),
    decidedAt,
    sentAt,
    end,
    open: end?.state === 'applied' || end?.state === 'superseded' ? undefined : first('open'),
    letters: found.flatMap(({ letter }) => letter ?? []),
    steps,
    at: decidedAt ?? sentAt ?? steps[0]?.at ?? end?.at,
  };
}

function rank({ source }: Finding): number {
  return updateSources.indexOf(source);
}

/**
 * `applied` and `superseded` are final, as in the ledger; of two other ends, the later counts. The remaining ends become steps.
 */
function endsOf(found: readonly Finding[]): { end: KnownUpdate['end']; earlier: readonly Step[] } {
  const ends = found.flatMap(({ source, end }) => (end === undefined ? [] : [{ ...end, source }]));
  const final = ends.find(({ state }) => state === 'applied' || state === 'superseded');
  const end = final ?? ends.toSorted((a, b) => (b.at ?? 0) - (a.at ?? 0))[0];
  const earlier = ends.flatMap(({ state, at, source, ...why }) =>
    state === end?.state || at === undefined ? [] : [{ at, source, what: `${state}${whyText(why)}` }],
  );
  return { end, earlier };
}

/** `: Rejected, ResourceNotFoundException (404)`; empty if nothing is known. */
export function whyText({ reason, error }: Pick<End, 'reason' | 'error'>): string {
  const status = error?.status === undefined ? '' : ` (${error.status})`;
  const parts = [reason, error === undefined ? undefined : `${error.name}${status}`];
  const known = parts.filter((part) => part !== undefined);
  return known.length === 0 ? '' : `: ${known.join(', ')}`;
}
