/** The output of `list`: causes, or individual letters; and what every command says about its pass. PURE. */

import { clip, WIDTH, widthOf, wrap } from '../../text/layout.ts';
import { counted, number } from '../../text/numbers.ts';
import { printable, shortPrintable } from '../../text/printable.ts';
import type { CommandLine } from '../../text/shell.ts';
import { instant } from '../../text/times.ts';
import { printableUrl } from '../../text/urls.ts';
import { causeOf, type Group, type Groups } from '../letters/causes.ts';
import type { Letter } from '../letters/letter.ts';
import { LEASE_SECONDS } from '../pass/held.ts';
import type { PassResult } from '../pass/pass.ts';

/** With fewer columns, a letter takes two lines. */
const NARROW = 70;

/**
 * The header of a list of letters.
 * @param columns the terminal's width; undefined without a terminal: nothing is cut off.
 */
export function lettersHead(columns: number | undefined): string {
  if (columns !== undefined && columns < NARROW) return 'ID        ARRIVED (UTC)\n  IDENTIFIER  CAUSE';
  const { id, identifier } = widths(columns);
  return `${'ID'.padEnd(id)}  ARRIVED (UTC)        REASON            ${'IDENTIFIER'.padEnd(identifier)}  ERROR`;
}

/** One letter below {@link lettersHead}, without its line feed. */
export function letterLine(letter: Letter, columns: number | undefined): string {
  const { message, arrivedAt, reason, identifier = '-', errorName } = letter;
  const width = widths(columns);
  const id = shortPrintable(columns === undefined ? message.messageId : message.messageId.slice(0, 8), 100);
  const head = `${id.padEnd(width.id)}  ${instant(arrivedAt)}`;
  if (columns !== undefined && columns < NARROW) {
    const cause = `  ${printable(identifier)}  ${causeText(letter)}`;
    return [head, cause].map((line) => clip(line, columns)).join('\n');
  }
  const name = columns === undefined ? printable(identifier) : shortPrintable(identifier, width.identifier);
  const line = [head, printable(reason).padEnd(16), name.padEnd(width.identifier), printable(errorName)].join(
    '  ',
  );
  return (columns === undefined ? line : clip(line, columns)).trimEnd();
}

/** For the columns whose width depends on the available space. */
function widths(columns: number | undefined): { readonly id: number; readonly identifier: number } {
  if (columns === undefined) return { id: 36, identifier: 12 };
  return { id: 8, identifier: Math.max(12, 12 + Math.floor((columns - WIDTH) / 2)) };
}

/** The cause in words: reason, error, status. */
export function causeText({
  reason,
  errorName,
  errorStatus,
}: Pick<Group, 'reason' | 'errorName' | 'errorStatus'>): string {
  if (reason === 'foreign') return `foreign: ${origins[errorName] ?? shortPrintable(errorName, 40)}`;
  return `${reason}: ${shortPrintable(errorName, 100)}${errorStatus === undefined ? '' : ` (${errorStatus})`}`;
}

const origins: Readonly<Record<string, string>> = {
  MovedBySqs: "moved by SQS's own redrive policy, cause unknown",
  NoRecord: 'no record of a worker, cause unknown',
  UnreadableRecord: 'a record that cannot be read, cause unknown',
};

/**
 * Causes as a table with a few lines each.
 * @param columns the terminal's width; undefined without a terminal: nothing is cut off.
 */
export function groupsText(groups: Groups, columns: number | undefined): string[] {
  const all = groups.all();
  if (all.length === 0) return [];
  const narrow = columns !== undefined && columns < GROUPS_HEAD.length;
  const lines = narrow ? [] : [GROUPS_HEAD];
  for (const { group, count, first, last, redriven, example, ...cause } of all) {
    const times = [instant(first), instant(last)];
    if (narrow) {
      lines.push(`${group}  ${counted(count, 'letter')}, redriven before: ${number(redriven)}`);
      lines.push(`  first ${times[0]}`, `  last  ${times[1]}`);
    } else lines.push(`${group}  ${number(count).padStart(7)}  ${times.join('  ')}  ${number(redriven)}`);
    lines.push(`  ${causeText(cause)}`, `  example ${printable(exampleText(example))}`);
  }
  if (groups.others > 0) lines.push(`${counted(groups.others, 'letter')} of further causes`);
  return columns === undefined ? lines : lines.map((line) => clip(line, columns));
}

const GROUPS_HEAD = 'GROUP       COUNT  FIRST (UTC)          LAST (UTC)           REDRIVEN BEFORE';

/** An example's name and error message; not escaped. */
export function exampleText({ messageId, identifier, errorMessage }: Group['example']): string {
  const name = identifier ?? messageId;
  return errorMessage === '' ? name : `${name}: ${errorMessage}`;
}

/**
 * What to do about the most frequent cause.
 * @param where the conditions that found its letters: the suggested redrive is for these letters only.
 */
export function nextLines(groups: Groups, where: readonly string[], commandLine: CommandLine): string[] {
  const [first] = groups.all();
  if (first === undefined) return [];
  const letters = (...args: readonly string[]): string => commandLine('dead-letters', ...args);
  // Conditions on one field are alternatives: without this, another group would be redriven, too.
  const narrower = where.filter((condition) => !/^group=/i.test(condition));
  const chosen = [...narrower, `group=${first.group}`].flatMap((condition) => ['--where', condition]);
  return [
    '',
    'next: look at one, fix the cause, and put them back:',
    letters('show', first.example.messageId),
    letters('redrive', ...chosen, '--canary', '5', '--reason', 'fix'),
  ];
}

/**
 * How much of the queue was seen, and why there may be more.
 * @param columns the terminal's width; undefined without a terminal.
 */
export function seenText(pass: PassResult, queueUrl: string, columns?: number): string[] {
  const note = (text: string): string => wrap(text, '  ', 'broken', widthOf(columns));
  const about = pass.about === undefined ? '' : ` of about ${number(Math.max(pass.about, pass.seen))}`;
  const lines = [`${counted(pass.seen, 'letter')} seen${about}`, `  on ${printableUrl(queueUrl)}`];
  const end = endNotes[pass.end];
  if (end !== undefined) lines.push(note(end));
  if ((pass.heldByOthers ?? 0) > 0) {
    lines.push(
      note(
        `About ${number(pass.heldByOthers ?? 0)} were held by someone else when the pass began (another pass, or one that was killed: its letters are visible again within ${LEASE_SECONDS} s).`,
      ),
    );
  }
  if (pass.fifo)
    lines.push(
      note('A FIFO queue: a pass that holds letters of a group does not see the others of that group.'),
    );
  if (pass.notReleased > 0) {
    lines.push(
      note(
        `${counted(pass.notReleased, 'letter')} could not be made visible again; they will be within ${LEASE_SECONDS} s.`,
      ),
    );
  }
  return lines;
}

/** Says that not all letters were seen, how many are missing, and what may be deleted now. */
export function incompleteText({ seen, about = 0 }: PassResult, columns?: number): string {
  const missing = about - seen;
  const what =
    missing > 0
      ? `about ${counted(missing, 'letter')} of the queue not seen (by its counts, which lag by up to a minute)`
      : 'there may be letters that were not seen';
  const next =
    'Purge with --exported, which deletes only what was written; then export the rest to another file.';
  return wrap(`NOT COMPLETE: ${what}. ${next}`, '  ', 'broken', widthOf(columns));
}

const endNotes: Readonly<Partial<Record<PassResult['end'], string>>> = {
  limit: 'Stopped at the limit; there may be more (--limit).',
  time: 'Stopped after the maximum time; there may be more (--seconds).',
  interrupted: 'Interrupted; there may be more.',
  'in-flight-limit':
    'Stopped: SQS allows at most 120,000 messages in flight, and a pass holds what it has seen. Redrive some, or export them and purge with that file; then look again.',
};

export function groupJson(group: Group): Readonly<Record<string, unknown>> {
  return {
    group: group.group,
    reason: group.reason,
    error: group.errorName,
    status: group.errorStatus ?? null,
    count: group.count,
    first: new Date(group.first).toISOString(),
    last: new Date(group.last).toISOString(),
    redriven: group.redriven,
    example: {
      messageId: group.example.messageId,
      identifier: group.example.identifier ?? null,
      message: group.example.errorMessage,
    },
  };
}

/** The output of `list --group --json`. */
export function groupsJson(
  matched: number,
  groups: Groups,
  pass: PassResult,
): Readonly<Record<string, unknown>> {
  return { matched, groups: groups.all().map(groupJson), others: groups.others, pass: passJson(pass) };
}

export function passJson(pass: PassResult): Readonly<Record<string, unknown>> {
  const { seen, about, heldByOthers, fifo, end, notReleased } = pass;
  return { seen, about: about ?? null, heldByOthers: heldByOthers ?? null, fifo, end, notReleased };
}

export function letterJson(letter: Letter): Readonly<Record<string, unknown>> {
  return {
    messageId: letter.message.messageId,
    group: causeOf(letter).group,
    reason: letter.reason,
    error: letter.errorName,
    status: letter.errorStatus ?? null,
    message: letter.errorMessage,
    arrivedAt: new Date(letter.arrivedAt).toISOString(),
    identifier: letter.identifier ?? null,
    jobId: letter.jobId ?? null,
    requestId: letter.requestId ?? null,
    redriveCount: letter.redriveCount,
  };
}
