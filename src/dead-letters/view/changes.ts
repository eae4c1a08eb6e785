/** Reports of `redrive` and `purge`: what was done or would be done, what was not, and why. PURE. */

import { countLine, table, widthOf, wrap } from '../../text/layout.ts';
import { counted, number } from '../../text/numbers.ts';
import { printable, shortPrintable } from '../../text/printable.ts';
import type { CanaryVerdict } from '../changes/canary.ts';
import type { PurgeReport } from '../changes/purge.ts';
import type { RedriveReport } from '../changes/redrive.ts';
import type { Refusals } from '../changes/refusals.ts';
import type { ValueCount, Values } from '../changes/values.ts';
import type { PassResult } from '../pass/pass.ts';
import { causeText, groupJson, groupsText, passJson, seenText } from './list.ts';

export interface Queues {
  readonly queueUrl: string;
  readonly deadLetterQueueUrl: string;
}

/** @param columns the terminal's width; undefined without a terminal: nothing is cut off. */
export function redriveText(report: RedriveReport, { deadLetterQueueUrl }: Queues, columns?: number): string {
  const { dryRun, redriven, matched, refused, cameBack, notDeleted, canary } = report;
  const lines = [...seenText(report.pass, deadLetterQueueUrl, columns)];
  if (redriven > 0)
    lines.push('', ...groupsText(report.groups, columns), '', ...valuesText(report.values, columns));
  lines.push(
    '',
    countLine(matchedName(report.pass), matched),
    countLine(dryRun ? 'would redrive' : 'redriven', redriven),
  );
  lines.push(...refusedText(refused, columns));
  if (notDeleted > 0)
    lines.push(
      countLine('on both queues', notDeleted),
      wrap(
        'sent back, but not deleted here: a second redrive sends them once more, which is harmless',
        '    ',
        'broken',
        widthOf(columns),
      ),
    );
  if (cameBack > 0)
    lines.push(
      countLine('came back', cameBack),
      wrap('dead-lettered again meanwhile, left where they are', '    ', 'broken', widthOf(columns)),
    );
  if (canary !== undefined) lines.push(...canaryText(canary, columns));
  return `${lines.join('\n')}\n`;
}

/** What became of the letters of an exported file that were not deleted. */
export interface ExportedFacts {
  /** Letters in the file. */
  readonly size: number;
  /** Not seen on the queue. */
  readonly notFound: number;
  /** On the queue with another body. */
  readonly changed: number;
}

/** @param columns the terminal's width; undefined without a terminal: nothing is cut off. */
export function purgeText(
  report: PurgeReport,
  { deadLetterQueueUrl }: Queues,
  exported?: ExportedFacts,
  columns?: number,
): string {
  const lines = report.pass === undefined ? [] : [...seenText(report.pass, deadLetterQueueUrl, columns)];
  if (report.purged > 0) lines.push('', ...groupsText(report.groups, columns));
  lines.push('', countLine(matchedName(report.pass), report.matched));
  lines.push(countLine(report.dryRun ? 'would delete' : 'deleted', report.purged));
  if (report.notDeleted > 0) lines.push(countLine('not deleted', report.notDeleted));
  if (exported !== undefined) lines.push(...exportedText(exported, report.pass));
  return `${lines.join('\n')}\n`;
}

function exportedText({ size, notFound, changed }: ExportedFacts, pass: PassResult | undefined): string[] {
  const lines = [countLine('in the file', size)];
  if (notFound > 0) {
    const why = pass?.fifo === true ? ', or behind others of their group' : '';
    lines.push(countLine('not seen', notFound, `on the queue: gone already, or held by someone else${why}`));
  }
  if (changed > 0)
    lines.push(countLine('differ', changed, 'on the queue: they have another body there, so they stay'));
  return lines;
}

/** Maximum number of different values shown to a person. */
const SHOWN_VALUES = 20;
/** Maximum length of a line about one letter if no terminal limits it. */
const LONGEST = 1_000;
/** Maximum length of an example. */
const EXAMPLE = 20;

function valuesText(values: Values, columns: number | undefined): string[] {
  const all = values.all();
  const rows = all
    .slice(0, SHOWN_VALUES)
    .map((value) => [
      printable(valueText(value)),
      number(value.letters),
      shortPrintable(value.example, EXAMPLE),
    ]);
  const rest = all.slice(SHOWN_VALUES).reduce((sum, { letters }) => sum + letters, values.others);
  if (rest > 0) rows.push(['other values: see `dead-letters export --as updates`', number(rest), '']);
  return table([['SETS', 'LETTERS', 'EXAMPLE'], ...rows], columns, [1]);
}

/** The values that letters set; not escaped. */
export function valueText({ Description, TaskConfigurationId }: ValueCount): string {
  const parts = [
    ...(TaskConfigurationId === undefined ? [] : [`TaskConfigurationId ${TaskConfigurationId}`]),
    ...(Description === undefined ? [] : [`Description "${Description}"`]),
  ];
  return parts.length === 0 ? 'no valid update' : parts.join(', ');
}

/** If the pass stopped early, not all matching letters were seen. */
function matchedName(pass: PassResult | undefined): string {
  return pass?.end === 'through' ? 'matched' : 'matched so far';
}

function refusedText(refused: Refusals, columns = LONGEST): string[] {
  const all = refused.all();
  if (all.length === 0) return [];
  const lines = [countLine('not redriven', refused.count)];
  for (const { why, count, forcible, example } of all) {
    const hint = forcible ? ' (--force overrules)' : '';
    lines.push(
      wrap(`${number(count)}  ${shortPrintable(why, 300)}${hint}`, '    ', 'broken', widthOf(columns)),
    );
    lines.push(`       ${shortPrintable(`as ${example.identifier ?? example.messageId}`, columns - 7)}`);
  }
  return lines;
}

function canaryText(canary: CanaryVerdict, columns = LONGEST): string[] {
  switch (canary.verdict) {
    case 'good':
      return ['  canaries ended well: none came back'];
    case 'interrupted':
      return ['  canaries: interrupted while waiting for them'];
    case 'unknown':
      return [
        wrap(
          `canaries: it is not known how they ended; ${printable(canary.why)}`,
          '  ',
          'broken',
          widthOf(columns),
        ),
      ];
    case 'came-back': {
      const shown = canary.letters.slice(0, 3).map((letter) => {
        const said = letter.errorMessage === '' ? '' : `, ${letter.errorMessage}`;
        return `    ${shortPrintable(`${letter.identifier ?? letter.message.messageId}  ${causeText(letter)}${said}`, columns - 4)}`;
      });
      return [`  canaries: ${counted(canary.letters.length, 'letter')} came back`, ...shown];
    }
  }
}

export function redriveJson(report: RedriveReport): Readonly<Record<string, unknown>> {
  const { dryRun, matched, redriven, notDeleted, cameBack, refused, groups, values, canary, ends, pass } =
    report;
  return {
    dryRun,
    matched,
    redriven: dryRun ? 0 : redriven,
    ...(dryRun && { wouldRedrive: redriven }),
    notRedriven: refused.count,
    notRedrivenBy: refused.all().map(({ why, count, forcible }) => ({ why, count, forcible })),
    notDeleted,
    cameBack,
    canary: canary?.verdict ?? null,
    ...(ends !== undefined && { ends: ends.verdict }),
    groups: groups.all().map(groupJson),
    values: values.all(),
    otherValues: values.others,
    pass: passJson(pass),
  };
}

export function purgeJson(report: PurgeReport, exported?: ExportedFacts): Readonly<Record<string, unknown>> {
  const { dryRun, matched, purged, notDeleted, groups, pass } = report;
  return {
    dryRun,
    matched,
    purged: dryRun ? 0 : purged,
    ...(dryRun && { wouldPurge: purged }),
    notDeleted,
    ...(exported !== undefined && {
      inFile: exported.size,
      notSeen: exported.notFound,
      differ: exported.changed,
    }),
    groups: groups.all().map(groupJson),
    pass: pass === undefined ? null : passJson(pass),
  };
}

/** What the log of changes stores about a redrive. @param error why it ended early. */
export function redriveResult(
  report: RedriveReport,
  error: string | undefined,
): Readonly<Record<string, unknown>> {
  const { groups: _, values: __, pass: ___, ...result } = redriveJson(report);
  return { ...result, error: error ?? null };
}

/** What the log of changes stores about a purge. */
export function purgeResult(
  report: PurgeReport,
  exported?: ExportedFacts,
): Readonly<Record<string, unknown>> {
  const { groups: _, pass: __, ...result } = purgeJson(report, exported);
  return result;
}
