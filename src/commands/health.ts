/**
 * `health`: is every worker of this container alive? The image's HEALTHCHECK runs it. Once Node itself has started, the imports of
 * this file are most of the cost of a check.
 */
import type { Command } from 'commander';
import type { CommandContext } from '../cli/context.ts';
import { CommandError, causeOf, errorCode, exitCodes, misuse } from '../errors.ts';
import { printableLines } from '../text/printable.ts';
import { askHealth, findHealthSockets, type HealthSocket } from './health-socket.ts';

/** Docker's own limit for the check is 5 s. */
const PATIENCE_MS = 4_000;

/** Exit code 0: all workers are alive, or none runs. Exit code 1: at least one is not alive. */
export function configureHealth(command: Command, context: CommandContext): void {
  command
    .description(
      'Asks every worker that runs in this container whether it is alive, as GET /livez does, but over a separate socket: it also ' +
        'works with HTTP_PORT=off. A container without a worker is healthy as long as it runs, and so is one whose worker cannot ' +
        'have such a socket and logs health.unavailable. Linux only.',
    )
    .addHelpText('after', '\nExit codes: 0 healthy, 1 not, 2 there is no /proc to find workers in.')
    .action(async () => {
      context.stdout.write(`${await healthHere()}\n`);
    });
}

/** `health` without options, in a process of its own. @returns the exit code. */
export async function checkHealth({
  stdout,
  stderr,
}: Pick<NodeJS.Process, 'stdout' | 'stderr'>): Promise<number> {
  for (const stream of [stdout, stderr]) stream.on('error', () => {});
  try {
    const text = `${await healthHere()}\n`;
    const lost = await new Promise((resolve) => void stdout.write(text, resolve));
    if (!lost || errorCode(lost) === 'EPIPE') return exitCodes.done;
    throw new CommandError(`The output is incomplete, because it cannot be written: ${causeOf(lost)}.`);
  } catch (error) {
    stderr.write(`${printableLines(causeOf(error))}\n`);
    return error instanceof CommandError ? error.exitCode : exitCodes.failed;
  }
}

async function healthHere(): Promise<string> {
  return await healthOf(workersHere);
}

function workersHere(): HealthSocket[] {
  try {
    return findHealthSockets('/proc');
  } catch {
    throw misuse('health: there is no /proc here to find workers in.');
  }
}

/**
 * What the workers answer, as one sentence.
 * @param find lists the workers that run at the moment; a worker that has ended since is ignored.
 * @throws CommandError if a worker is not alive, or does not answer in time; it names those that are alive too.
 */
export async function healthOf(find: () => HealthSocket[], patienceMs = PATIENCE_MS): Promise<string> {
  const asked = await Promise.all(
    find().map(async (worker) => ({ worker, fault: await faultOf(worker, patienceMs) })),
  );
  const alive = asked.filter(({ fault }) => fault === undefined);
  const there = asked.length === alive.length ? [] : find().map(({ path }) => path);
  const faults = asked.flatMap(({ worker, fault }) => (there.includes(worker.path) ? (fault ?? []) : []));
  const others = alive.length === 0 ? [] : [`alive: ${alive.map(({ worker }) => nameOf(worker)).join(', ')}`];
  if (faults.length > 0) throw new CommandError([...faults, ...others].join('\n'));
  return others[0] ?? 'no worker runs here';
}

async function faultOf(worker: HealthSocket, patienceMs: number): Promise<string | undefined> {
  try {
    const reasons = await askHealth(worker, patienceMs);
    return reasons && `${nameOf(worker)} is not alive: ${reasons}`;
  } catch (error) {
    return `${nameOf(worker)} does not answer: ${causeOf(error)}`;
  }
}

function nameOf({ pid }: HealthSocket): string {
  return `worker with process id ${pid}`;
}
