/** What a command uses of its process: passed in, so that tests can replace it. */
import { hostname, userInfo } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import type { Environment } from '../config.ts';
import { exitCodes } from '../errors.ts';
import { mayHaveColours } from '../text/colours.ts';
import { paint } from '../text/paint.ts';
import type { CommandLine } from '../text/shell.ts';
import { type Clock, sleep, systemClock } from '../time/clock.ts';
import { commandLineOf } from './command-line.ts';
import type { Signal, SignalInbox } from './signal-inbox.ts';

export interface CommandContext {
  readonly env: Environment;
  /** Sets variables of this process: the SDK reads those, whatever the `env` of a command is. */
  readonly setVariables: (variables: Readonly<Record<string, string>>) => void;
  /** The base folder of relative paths. */
  readonly cwd: string;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** Results only. */
  readonly stdout: Writable & { readonly columns?: number; readonly isTTY?: boolean };
  /** Colours a text for people, if stdout may have colours. */
  readonly paint: (text: string) => string;
  /** Everything else. */
  readonly stderr: Writable & { readonly columns?: number; readonly isTTY?: boolean };
  /** Whether stderr is a terminal: progress is drawn only there. */
  readonly isTerminal: boolean;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Resolves after `ms` milliseconds, or immediately when `signal` aborts; never rejects. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** The name of the logged-in user; `uid 1000` for a user id without an account. */
  readonly userName: () => string;
  /** The name of this machine, or of this container. */
  readonly hostName: () => string;
  /**
   * A command as it is called here, with arguments quoted for a shell. Every hint uses it, so that hints can be pasted.
   */
  readonly commandLine: CommandLine;
  /** Calls `listener` on every SIGINT and SIGTERM, until the returned function is called. */
  readonly onSignal: (listener: (signal: Signal) => void) => () => void;
  /** Ends the process at once, whatever is in progress. */
  readonly exitNow: (code: number) => void;
  /** Set by the command: stdout is the log of a service, which may lose lines, rather than a result. */
  stdoutIsLog: boolean;
  /** The exit code, unless the command throws; set by the command. */
  exitCode: number;
}

/** The context of a real process, whose signals arrive in `signals`. */
export function contextOf(process: NodeJS.Process, signals: Pick<SignalInbox, 'listen'>): CommandContext {
  return {
    env: process.env,
    setVariables: (variables) => void Object.assign(process.env, variables),
    cwd: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    paint: mayHaveColours(process.stdout, process.env) ? paint : (text) => text,
    isTerminal: process.stderr.isTTY === true,
    clock: systemClock,
    random: Math.random,
    sleep,
    userName,
    hostName: hostname,
    commandLine: commandLineOf({ argv: process.argv, env: process.env, cwd: process.cwd() }),
    onSignal: signals.listen,
    exitNow: (code) => process.exit(code),
    stdoutIsLog: false,
    exitCode: exitCodes.done,
  };
}

/** In a container the user may have any id, without an entry in the system's list of accounts. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`;
  }
}
