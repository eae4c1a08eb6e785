/** Asks the sources of a trace. None throws: a failure is part of its report. */
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { CommandContext } from '../../cli/context.ts';
import { whoIs } from '../../cli/who.ts';
import { apiSettings, readConfig, readConfigForAws } from '../../config.ts';
import type { BoundFlags } from '../../dead-letters/commands/flags.ts';
import { startRun } from '../../dead-letters/commands/run.ts';
import { passOver } from '../../dead-letters/pass/pass.ts';
import { CommandError, causeOf } from '../../errors.ts';
import { openToRead } from '../../files/open-to-read.ts';
import type { Ledger } from '../../jobs/ledger/ledger.ts';
import { commandPatience, openLedgerAt } from '../../jobs/ledger/open.ts';
import { explainRead } from '../../message/explain-read.ts';
import type { FailureKind } from '../../message/failure.ts';
import { createReader } from '../../ota/create-reader.ts';
import { counted, number } from '../../text/numbers.ts';
import type { Progress } from '../../text/progress.ts';
import { printableUrl } from '../../text/urls.ts';
import type { Finding } from '../finding.ts';
import { ledgerFindings } from '../ledger.ts';
import { letterFinding } from '../letters.ts';
import { logFault, readLog } from '../log.ts';
import type { SourceReport, Trace } from '../trace.ts';

/** Maximum number of a task's rows, outcomes and letters shown, of each. */
const MAX_RECORDS = 10_000;

/** How long one read is retried while it is throttled. */
const API_PATIENCE_MS = 20_000;

export interface Asking {
  readonly context: CommandContext;
  readonly identifier: string;
  /** Aborts when the user interrupts. */
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly report: SourceReport;
  /** It failed for a reason that does not concern the task: reads of other tasks would fail, too. */
  readonly away?: true;
  readonly findings: readonly Finding[];
}

/** Asks the ledger, which is not created if missing. */
export async function askLedger(asking: Asking): Promise<Answer> {
  const { context } = asking;
  return await answer('ledger', async () => {
    const { stateDir, ledgerUrl } = readConfig(context.env, ['stateDir', 'ledgerUrl']);
    const place = { stateDir: resolve(context.cwd, stateDir), ledgerUrl };
    const patience = commandPatience(
      asking.signal,
      (sentence) => void context.stderr.write(`${sentence}.\n`),
    );
    const ledger = await openLedgerAt(place, 'read', { ...context, holder: whoIs(context), patience });
    try {
      if (ledger.access !== 'none') return await ledgerAnswer(asking, ledger);
      return noLedger(context, ledgerUrl === undefined ? stateDir : ledger.place, ledger.setting);
    } finally {
      await ledger.close();
    }
  });
}

/** What an open ledger has about the task. @throws LedgerError. */
export async function ledgerAnswer({ context, identifier }: Asking, ledger: Ledger): Promise<Answer> {
  const records = await ledger.ofTask(identifier, MAX_RECORDS);
  const { rows, outcomes, cut } = records;
  const what = `${counted(rows.length, 'row')} of jobs and ${counted(outcomes.length, 'other outcome')} in ${ledger.place}${notCollected(context)}`;
  const report = { source: 'ledger', state: cut ? 'in-part' : 'read', what } as const;
  return { report, findings: ledgerFindings(records) };
}

/** @param where the place where it would be. */
export function noLedger(context: CommandContext, where: string, setting: Ledger['setting']): Answer {
  return none(
    'ledger',
    `there is none in ${where} (${setting}): no job was applied from here${notCollected(context)}`,
  );
}

/** A trace takes nothing from a queue: outcomes are collected by the process that follows a job. */
function notCollected({ env }: CommandContext): string {
  return env.OUTCOME_QUEUE_URL
    ? '; outcomes that still wait on OUTCOME_QUEUE_URL are not in a ledger yet: `jobs status` reads them into this one'
    : '';
}

/** One pass over the dead-letter queue, which leaves all letters in place. */
export async function askLetters(
  { context, identifier }: Asking,
  bounds: BoundFlags,
  pollSeconds: number | undefined,
  progress: Progress,
): Promise<Answer> {
  const source = 'dead-letters';
  if (!context.env.DEAD_LETTER_QUEUE_URL) return none(source, 'DEAD_LETTER_QUEUE_URL is not set');
  return await answer(source, async () => {
    const findings: Finding[] = [];
    let ended: Answer | undefined;
    await startRun(context, pollSeconds, async ({ dead, surroundings }) => {
      progress.stage('dead letters looked at');
      let seen = 0;
      const pass = await passOver(dead, bounds, surroundings, async (letters) => {
        seen += letters.length;
        progress.update(seen);
        for (const letter of letters) {
          if (letter.identifier === identifier && findings.length < MAX_RECORDS)
            findings.push(letterFinding(letter));
        }
        return true;
      });
      const others = pass.heldByOthers ?? 0;
      const about = Math.max(pass.about ?? 0, pass.seen);
      const what = `${number(findings.length)} of ${counted(pass.seen, 'letter')} seen, of about ${number(about)} on ${printableUrl(dead.url)}; all left in place`;
      const why =
        pass.end !== 'through'
          ? passEnds[pass.end]
          : others > 0
            ? `${number(others)} were held by someone else`
            : undefined;
      ended =
        why === undefined
          ? { report: { source, state: 'read', what }, findings }
          : { report: { source, state: 'in-part', what: `${why}; ${what}` }, findings };
    });
    return ended ?? failed(source, 'the output was closed');
  });
}

const passEnds = {
  limit: 'stopped at --limit',
  time: 'stopped after --seconds',
  interrupted: 'interrupted',
  stopped: 'stopped',
  'in-flight-limit': 'stopped, because SQS allows at most 120,000 messages in flight',
} as const;

/** The task's present state in the API. */
export async function askApi({ context, identifier, signal }: Asking): Promise<Answer & Pick<Trace, 'task'>> {
  const source = 'task';
  let task: Trace['task'];
  const asked = await answer(source, async () => {
    const config = readConfigForAws(context.env, apiSettings);
    const late = AbortSignal.timeout(API_PATIENCE_MS);
    const reader = createReader(config, context, AbortSignal.any([signal, late]));
    try {
      const read = await reader.get(identifier);
      if (read.ok) task = read.value;
      else if (read.failure.name === 'ResourceNotFoundException') task = 'gone';
      else if (late.aborted)
        return {
          ...failed(source, `no answer to GetOtaTask within ${API_PATIENCE_MS / 1_000} s`),
          away: true,
        };
      else {
        const away = ofTheTask.has(read.failure.kind) || signal.aborted ? {} : ({ away: true } as const);
        return { ...failed(source, explainRead('GetOtaTask', read.failure)), ...away };
      }
      return { report: { source, state: 'read', what: 'GetOtaTask' }, findings: [] };
    } finally {
      await reader.close();
    }
  });
  return { ...asked, task };
}

/** Failures that may concern only this task, and those of the request itself. */
const ofTheTask: ReadonlySet<FailureKind> = new Set(['denied', 'rejected', 'conflict', 'internal']);

/** A worker's log: a file, `-` for stdin, or undefined if none was given. */
export async function askLog(
  { context, identifier, signal }: Asking,
  file: string | undefined,
): Promise<Answer> {
  const source = 'log';
  if (file === undefined)
    return none(source, '--log FILE reads the log of a worker, which has every attempt');
  const name = file === '-' ? 'stdin' : file;
  let stream: Readable | undefined;
  const stop = (): void => void stream?.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    stream =
      file === '-'
        ? context.stdin
        : (await openToRead(resolve(context.cwd, file), signal)).createReadStream();
    const result = await readLog(stream, identifier, signal);
    const what = `${number(result.ofTask)} of ${counted(result.lines, 'line')} in ${name}`;
    const fault = logFault(result);
    const state = fault === undefined ? 'read' : 'in-part';
    return {
      report: { source, state, what: fault === undefined ? what : `${fault}; ${what}` },
      findings: result.findings,
    };
  } catch (error) {
    return failed(source, signal.aborted ? 'interrupted' : `${name} cannot be read: ${causeOf(error)}`);
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

/** The answer of `ask`, or why there is none. */
async function answer(source: SourceReport['source'], ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { ...failed(source, error.message.replace(/\s*\n\s*/g, ' ').replace(/\.$/, '')), away: true };
  }
}

function none(source: SourceReport['source'], what: string): Answer {
  return { report: { source, state: 'not-asked', what }, findings: [] };
}

function failed(source: SourceReport['source'], what: string): Answer {
  return { report: { source, state: 'failed', what }, findings: [] };
}
