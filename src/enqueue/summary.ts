/** The result of an enqueue: a block of text, or one JSON object. */

import type { RefusedRow } from '../input/row.ts';
import { isFifoUrl } from '../queue/urls.ts';
import { countLine, hang, nextLine, widthOf } from '../text/layout.ts';
import { counted, number } from '../text/numbers.ts';
import { jsonLine, printable, shortPrintable } from '../text/printable.ts';
import type { CommandLine } from '../text/shell.ts';
import { printableUrl } from '../text/urls.ts';
import type { Duplicates, Tally } from './tally.ts';

export interface Report {
  readonly outcome: 'done' | 'interrupted' | 'failed';
  readonly file: string;
  readonly queueUrl: string | undefined;
  /** Whether `--queue-url` named it: the next command is then not for QUEUE_URL either. */
  readonly queueByFlag: boolean;
  /** Whether `--refused` named the file of refused rows: once that file is written, the same command is refused. */
  readonly refusedByFlag: boolean;
  readonly dryRun: boolean;
  /** Rows read, including refused ones. */
  readonly rows: number;
  /** Good rows that this run had to send. */
  readonly toSend: number;
  /** Rows sent; on a dry run, those that would have been sent. */
  readonly sent: number;
  /** Further rows that may have been sent: no answer says whether they were. */
  readonly mayHaveArrived: number;
  /** The job that keeps the rows. */
  readonly job?: string | undefined;
  /** Good rows that an earlier run of the job sent. */
  readonly sentBefore: number;
  /** Whether these are all of its rows, so that there was nothing to do. */
  readonly wasWhole: boolean;
  /** Good rows before `--from-line`. */
  readonly skipped: number;
  readonly refused: number;
  readonly refusedFile: string | undefined;
  /** The form of the file, unless it is comma and UTF-8. */
  readonly form: string | undefined;
  /** Rows left out by `--where`. */
  readonly leftOut: number;
  /** Remarks for the person who gave the file, one sentence each. */
  readonly notes: readonly string[];
  /** The first few refused rows. */
  readonly examples: readonly RefusedRow[];
  readonly duplicates: Duplicates;
  readonly duplicateRequestIds: Duplicates;
  /** Send requests made; on a dry run, those it would take. */
  readonly requests: number;
  /** How long the sending took. */
  readonly seconds: number;
  /** The line to continue from; undefined when nothing is left to send. */
  readonly continueFrom: number | undefined;
  /** Why the run failed, as a sentence without its full stop. */
  readonly failure: string | undefined;
  /** On a dry run, the first message. */
  readonly firstBody: string | undefined;
}

export interface ReportFacts extends Partial<Report> {
  readonly outcome: Report['outcome'];
  readonly tally?: Tally;
}

/** A report from the known facts; unknown counts are zero. */
export function toReport(
  options: Pick<Report, 'file' | 'queueUrl' | 'dryRun' | 'job'> &
    Partial<Pick<Report, 'queueByFlag'>> & {
      /** The file that `--refused` named. */
      readonly refusedFile?: string;
    },
  { tally, ...facts }: ReportFacts,
): Report {
  const { file, queueUrl, queueByFlag = false, dryRun, job } = options;
  return {
    file: file === '-' ? 'stdin' : file,
    queueUrl,
    queueByFlag,
    refusedByFlag: options.refusedFile !== undefined,
    dryRun,
    rows: tally?.rows ?? 0,
    toSend: tally?.toSend ?? 0,
    skipped: tally?.skipped ?? 0,
    duplicates: tally?.duplicates ?? { values: 0, rows: 0 },
    duplicateRequestIds: tally?.duplicateRequestIds ?? { values: 0, rows: 0 },
    form: undefined,
    leftOut: 0,
    notes: [],
    job,
    sent: 0,
    mayHaveArrived: 0,
    sentBefore: 0,
    wasWhole: false,
    refused: 0,
    refusedFile: undefined,
    examples: [],
    requests: 0,
    seconds: 0,
    continueFrom: undefined,
    failure: undefined,
    firstBody: undefined,
    ...facts,
  };
}

/**
 * The report for people, ending in a line feed. Nothing in it can control a terminal.
 * @param columns of the terminal; undefined if there is none.
 */
export function summaryText(report: Report, commandLine: CommandLine, columns?: number): string {
  const width = widthOf(columns);
  const line = (name: string, count: number, note = ''): string => countLine(name, count, note, columns);
  const form = report.form === undefined ? '' : `, ${printable(report.form)}`;
  const lines = [`${printable(report.file)}: ${counted(report.rows, 'row')} read${form}`];
  const queue = report.queueUrl === undefined ? 'the queue' : printableUrl(report.queueUrl);
  const request = counted(report.requests, 'request');
  if (report.dryRun) {
    lines.push(line('would send', report.sent, `to ${queue} in ${request}`));
    if (report.firstBody !== undefined) lines.push(`  the first one is  ${printable(report.firstBody)}`);
  } else {
    const time = `${report.seconds.toFixed(1)} s, ${number(rate(report))} rows/s`;
    lines.push(line('sent', report.sent, report.sent > 0 ? `to ${queue} in ${request}, ${time}` : ''));
  }
  if (report.mayHaveArrived > 0)
    lines.push(line('may be sent', report.mayHaveArrived, 'SQS did not answer whether they were'));
  if (report.sentBefore > 0)
    lines.push(
      line(
        'sent before',
        report.sentBefore,
        `by an earlier run of job ${report.job}${report.wasWhole ? ': the whole file. Nothing was changed' : ''}`,
      ),
    );
  if (report.skipped > 0) lines.push(line('skipped', report.skipped, 'before --from-line'));
  if (report.leftOut > 0) lines.push(line('left out', report.leftOut, 'by --where'));
  lines.push(line('refused', report.refused, refusedNote(report)));
  for (const row of report.examples) {
    lines.push(hang(`                line ${row.line}: `, shortPrintable(row.reason, 160), width));
  }
  if (report.refused > report.examples.length) {
    lines.push(`                and ${number(report.refused - report.examples.length)} more`);
  }
  lines.push(line('duplicates', report.duplicates.rows, duplicatesNote(report)));
  for (const note of [...report.notes, ...unreadLedgerNote(report), ...requestIdNote(report)])
    lines.push(hang('note: ', printable(note), width));
  const next = nextStep(report, commandLine);
  if (next !== undefined) lines.push(next);
  return `${lines.join('\n')}\n`;
}

/** The report for scripts: one JSON object on one line. */
export function summaryJson(report: Report): string {
  const { file, outcome, dryRun, rows, sent, skipped, refused, requests, seconds } = report;
  const json = {
    outcome,
    file,
    queueUrl: report.queueUrl === undefined ? null : printableUrl(report.queueUrl),
    dryRun,
    form: report.form ?? null,
    rows,
    sent: dryRun ? 0 : sent,
    mayHaveArrived: report.mayHaveArrived,
    ...(dryRun && { wouldSend: sent, firstBody: report.firstBody ?? null }),
    ...(report.job !== undefined && { job: report.job, sentBefore: report.sentBefore }),
    skipped,
    leftOut: report.leftOut,
    refused,
    refusedFile: report.refusedFile ?? null,
    duplicateIdentifiers: report.duplicates.values,
    duplicateRows: report.duplicates.rows,
    duplicateRequestIds: report.duplicateRequestIds.values,
    notes: report.notes,
    requests,
    seconds,
    rate: dryRun ? 0 : rate(report),
    continueFrom: report.continueFrom ?? null,
    failure: report.failure ?? null,
  };
  return jsonLine(json);
}

/** How far an unfinished run came and where to continue; undefined for a finished run. */
export function unfinishedSentence(report: Report): string | undefined {
  if (report.outcome === 'done') return undefined;
  const why =
    report.failure === undefined
      ? 'Interrupted'
      : `Sending failed: ${printable(report.failure.replace(/\.$/, ''))}`;
  const { sent, mayHaveArrived, dryRun, toSend } = report;
  if (dryRun || sent + mayHaveArrived === 0) return `${why}. Nothing was sent.`;
  const known = `${number(sent)} of ${counted(toSend, 'row')} were sent`;
  const besides = `${number(sent)} of ${counted(toSend, 'row')} are known to be sent, and ${number(mayHaveArrived)} more may be: SQS did not answer`;
  return `${why}. ${mayHaveArrived === 0 ? known : besides}${fromHere(report)}.`;
}

function fromHere(report: Report): string {
  const { continueFrom, file, job } = report;
  if (continueFrom === undefined) return '';
  const again = `${file === 'stdin' ? ' and the same input' : ''}${otherRefused(report)}`;
  if (job !== undefined)
    return `; the same command${again} continues: job ${job} knows which rows were sent, and does not send them again`;
  return `; continue with --from-line ${continueFrom}${again} (a row that was already sent is sent again, which does no harm)`;
}

/** What the same command must add: it never overwrites its file of refused rows. */
function otherRefused({ refusedByFlag, refusedFile, refused }: Report): string {
  return refusedByFlag && refused > 0 && refusedFile !== undefined ? ' and with another --refused' : '';
}

function refusedNote({ refused, refusedFile }: Report): string {
  return refused === 0 || refusedFile === undefined ? '' : `with the reasons in ${printable(refusedFile)}`;
}

function duplicatesNote({ duplicates, queueUrl }: Report): string {
  const { values } = duplicates;
  if (values === 0) return '';
  const what = `of ${values === 1 ? 'one Identifier' : `${number(values)} Identifiers`}`;
  if (queueUrl !== undefined && isFifoUrl(queueUrl)) return `${what}; they are applied in file order`;
  return `${what}; a standard queue keeps no order, so any of the rows may be applied last unless their IssuedAt differ`;
}

/** Outcomes are identified by RequestId. */
function requestIdNote({ duplicateRequestIds: { values, rows } }: Report): string[] {
  if (values === 0) return [];
  const what = values === 1 ? 'one RequestId is' : `${number(values)} RequestIds are`;
  return [
    `${what} on more than one row (${counted(rows, 'row')} too many): give each row its own, so that logs, outcomes and reports can distinguish them`,
  ];
}

/** A dry run does not read the ledger, so it lacks what only the ledger knows. */
function unreadLedgerNote({ dryRun, job }: Report): string[] {
  if (!dryRun || job === undefined) return [];
  return [
    `a dry run does not read the ledger: rows that job ${job} sent before are not sent again, and rows without a RequestId get one from the ledger`,
  ];
}

function nextStep(report: Report, commandLine: CommandLine): string | undefined {
  if (report.outcome !== 'done') return undefined;
  const { refused, refusedFile = '', job, queueUrl = '', queueByFlag } = report;
  const queue = queueByFlag ? ['--queue-url', queueUrl] : [];
  const again = ['enqueue', refusedFile, ...(job === undefined ? [] : ['--job', job]), ...queue];
  const fix =
    refused > 0
      ? nextLine(
          `fix the ${counted(refused, 'row')} in ${printable(refusedFile)}, then`,
          commandLine(...again),
        )
      : '';
  if (report.dryRun)
    return report.sent > 0
      ? nextLine(`the same command without --dry-run${otherRefused(report)}`)
      : fix || undefined;
  const follow =
    job !== undefined && report.sent + report.sentBefore > 0
      ? nextLine(
          commandLine('jobs', 'status', job, '--watch'),
          'follows them, by the outcomes of workers with OUTCOME_QUEUE_URL',
        )
      : '';
  if (follow !== '' || fix !== '') return [follow, fix].filter((line) => line !== '').join('\nnext: ');
  // A worker receives from QUEUE_URL.
  return report.sent > 0 && !queueByFlag ? nextLine(commandLine('worker'), 'applies them') : undefined;
}

function rate({ sent, seconds }: Report): number {
  return seconds > 0 ? Math.round(sent / seconds) : sent;
}
