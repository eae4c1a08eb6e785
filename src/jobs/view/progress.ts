/** A job's progress as text: a block for a terminal, one line for a log. Nothing in it can control a terminal. */
import { clip } from '../../text/layout.ts';
import { createScreen, type Screen } from '../../text/live-block.ts';
import { number, percent } from '../../text/numbers.ts';
import { printable, shortPrintable } from '../../text/printable.ts';
import { bar, type ProgressOptions } from '../../text/progress.ts';
import type { CommandLine } from '../../text/shell.ts';
import { countdown } from '../../text/times.ts';
import type { JobView } from '../run/progress.ts';
import { stageText } from './outlook-text.ts';
import { type Note, silence } from './silence.ts';
import { repeatedShare } from './standing-facts.ts';
import { stateText } from './state-text.ts';

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
      // The next log line may be seconds away.
      const said = silence(view, 'Ctrl-C', commandLine);
      if (!told && view.noneEnded && said.length > 0)
        screen.say(`${view.jobId}: ${said.map(onOneLine).join('; ')}`);
      told ||= said.length > 0;
      screen.update(view);
    },
  };
}

/** The block; every line is shorter than `columns`. Its first four lines are always present. */
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
  // A command on its own line is less often cut, and can be pasted.
  for (const note of notes(view, commandLine)) lines.push(...note.map((part) => `  ${part}`));
  return lines.map((line) => clip(printable(line), columns - 1));
}

/** The same in one line, without its line feed. */
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
  return [...found, ...silence(view, 'Ctrl-C', commandLine)];
}

function rate({ perSecond }: JobView): string {
  return perSecond > 0 && perSecond < 10 ? perSecond.toFixed(1) : number(Math.round(perSecond));
}

function timeLeft({ counts, state, waitsFor, expectedEnd, now }: JobView): string {
  const left = counts.total - counts.ended;
  if (left === 0) return waitsFor === undefined ? 'done' : 'all ended';
  if (state !== undefined && state.name !== 'running') return state.name;
  if (expectedEnd === undefined) return '-:-- left';
  return `${countdown(Math.ceil((expectedEnd - now) / 1_000))} left`;
}
