/** A job's progress as lines: a block for a terminal, one line for a log. Nothing in them controls a terminal. */
import { clip } from '../../text/layout.ts';
import { createScreen, type Screen } from '../../text/live-block.ts';
import { counted, number, percent } from '../../text/numbers.ts';
import { printable, shortPrintable } from '../../text/printable.ts';
import { bar, type ProgressOptions } from '../../text/progress.ts';
import type { CommandLine } from '../../text/shell.ts';
import { countdown } from '../../text/times.ts';
import type { JobView } from '../run/progress.ts';
import { stageText } from './outlook-text.ts';
import { repeatedShare } from './standing.ts';
import { stateText } from './state-text.ts';

/** Rows were sent, and none has ended for so long: most likely no worker runs. */
const NO_WORKER_MS = 15_000;
/** From here on the silence of a job of which rows had ended is worth a hint. */
const QUIET_HINT_MS = 60_000;
const MAX_CAUSES = 5;

export interface JobScreenOptions extends ProgressOptions {
  readonly commandLine: CommandLine;
}

export function createJobScreen({
  stderr,
  isTerminal,
  clock,
  commandLine,
}: JobScreenOptions): Screen<JobView> {
  const screen = createScreen<JobView>({
    stream: stderr,
    isTerminal,
    now: clock.monotonic,
    block: (view, columns) => progressBlock(view, columns, commandLine),
    line: (view) => progressLine(view, commandLine),
  });
  let told = isTerminal;
  return {
    say: (line) => screen.say(line),
    stop: () => screen.stop(),
    update: (view) => {
      // The next line of a log may come only seconds later.
      const said = silence(view, commandLine);
      if (!told && view.noneEnded && said.length > 0)
        screen.say(`${view.jobId}: ${said.map(onOneLine).join('; ')}`);
      told ||= said.length > 0;
      screen.update(view);
    },
  };
}

/** The block, every line shorter than `columns`. Its first four lines are always there. */
export function progressBlock(view: JobView, columns: number, commandLine: CommandLine): string[] {
  const { counts } = view;
  const tail = `  ${percent(share(view)).padStart(4)}  ${number(counts.ended)} of ${number(counts.total)}  ${timeLeft(view)}`;
  const head = `${shortPrintable(view.jobId, Math.max(10, columns - tail.length - 16))}  `;
  const size = Math.max(10, Math.min(50, columns - 3 - head.length - tail.length));
  const lines = [
    `${head}${bar(share(view), size)}${tail}`,
    `  applied ${number(counts.applied)}   superseded ${number(counts.superseded)}   failed ${number(counts.failed)}`,
    `  in flight ${number(counts.inFlight)} of ${number(view.window)}   ${rate(view)} rows/s   ${percent(repeatedShare(counts), 1)} of calls throttled or failed`,
    `  ${causes(view) || 'no failures'}`,
  ];
  // A command on a line of its own is less often cut, and can be pasted.
  for (const note of notes(view, commandLine)) lines.push(...note.map((part) => `  ${part}`));
  return lines.map((line) => clip(printable(line), columns - 1));
}

/** The same on one line, without its line feed. */
export function progressLine(view: JobView, commandLine: CommandLine): string {
  const { counts } = view;
  const ends = `${number(counts.applied)} applied, ${number(counts.superseded)} superseded, ${number(counts.failed)} failed`;
  const parts = [
    `${view.jobId}: ${percent(share(view))}, ${number(counts.ended)} of ${number(counts.total)} rows ended`,
    ends,
    `${number(counts.inFlight)} in flight`,
    `${rate(view)} rows/s`,
    timeLeft(view),
    ...notes(view, commandLine).map(onOneLine),
  ];
  return printable(parts.join('; '));
}

function share({ counts }: JobView): number {
  return counts.total === 0 ? 1 : counts.ended / counts.total;
}

function causes({ counts }: JobView): string {
  const shown = counts.causes.slice(0, MAX_CAUSES);
  const rest = counts.causes.slice(MAX_CAUSES).reduce((sum, { rows }) => sum + rows, 0);
  const named = shown.map(({ cause, rows }) => `${shortPrintable(cause, 40)} ${number(rows)}`);
  if (rest > 0) named.push(`others ${number(rest)}`);
  return named.join(', ');
}

/** What is to be known, up to the command that helps, as it is typed. */
type Note = readonly [what: string, command?: string];

function onOneLine(note: Note): string {
  return note.join(' ');
}

function notes(view: JobView, commandLine: CommandLine): Note[] {
  const { state, counts, jobId, followed } = view;
  const found: Note[] = [];
  const stage = stageText(view);
  if (stage !== undefined && state?.towards === undefined) found.push([stage]);
  if (state !== undefined && state.name !== 'running' && state.name !== 'done')
    found.push([`${stateText(state)}${state.why === undefined ? '' : `: ${state.why}`}`]);
  if (!followed && counts.ended + counts.inFlight < counts.total)
    found.push(['nobody is sending its rows:', commandLine('jobs', 'resume', jobId)]);
  return [...found, ...silence(view, commandLine)];
}

/** What may be wrong when nothing ends; the first one says what is seen. */
function silence({ quietMs, noneEnded, counts, jobId }: JobView, commandLine: CommandLine): Note[] {
  if (counts.inFlight === 0 || quietMs < (noneEnded ? NO_WORKER_MS : QUIET_HINT_MS)) return [];
  const seconds = Math.round(quietMs / 1_000);
  const lost: Note = ['if outcomes were lost: Ctrl-C, then', commandLine('jobs', 'reconcile', jobId)];
  const workers = commandLine('status');
  if (!noneEnded) return [[`no row has ended for ${seconds} s: do the workers still run?`, workers], lost];
  return [
    [`${counted(counts.inFlight, 'row')} sent, none ended for ${seconds} s: does a worker run?`, workers],
    ['it needs this QUEUE_URL and this OUTCOME_QUEUE_URL:', commandLine('check')],
    ...(quietMs < QUIET_HINT_MS ? [] : [lost]),
  ];
}

function rate({ perSecond }: JobView): string {
  return perSecond > 0 && perSecond < 10 ? perSecond.toFixed(1) : number(Math.round(perSecond));
}

function timeLeft({ counts, state, expectedEnd, now }: JobView): string {
  const left = counts.total - counts.ended;
  if (left === 0) return 'done';
  if (state !== undefined && state.name !== 'running') return state.name;
  if (expectedEnd === undefined) return '-:-- left';
  return `${countdown(Math.ceil((expectedEnd - now) / 1_000))} left`;
}
