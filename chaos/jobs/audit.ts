/** Whether a job's log of changes contains what was typed, and its states connect. PURE. */

/** A command that was typed. */
export interface Typed {
  readonly command: string;
  /** Unique among all commands. */
  readonly reason: string;
  readonly exitCode: number | null;
  readonly said: string;
}

/** A line of `jobs log --json`. */
export interface LogEntry {
  readonly what: string;
  readonly why: string | null;
  /** A change of state has two states; a change of settings has other values. */
  readonly detail: { readonly from?: unknown; readonly to?: unknown };
}

/** One line for each promise that the log breaks. @param log oldest change first. */
export function auditFaults(typed: readonly Typed[], log: readonly LogEntry[]): readonly string[] {
  const faults: string[] = [];
  for (const { command, reason, exitCode, said } of typed) {
    // The line for coming to rest repeats the reason of the stop.
    const lines = log.filter(({ why, what }) => why === reason && what !== 'settle').length;
    const changesNothing = said.includes('changes nothing');
    // Resuming a running job changes nothing, and is no failure.
    const fewest = exitCode === 0 && command !== 'resume' ? 1 : 0;
    const most = changesNothing ? 0 : 1;
    if (lines < fewest || lines > most)
      faults.push(
        `${lines} lines in the log for jobs ${command} (${reason}), which ended with ${exitCode}: ${said}`,
      );
  }
  let state: unknown;
  for (const { what, detail } of log) {
    if (typeof detail.from !== 'string') continue;
    if (state !== undefined && detail.from !== state)
      faults.push(`the log has ${what} from ${detail.from}, and the job was ${String(state)}`);
    state = detail.to;
  }
  return faults;
}
