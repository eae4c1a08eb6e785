/**
 * `health`: is every worker of this container alive? For the image's HEALTHCHECK: what this imports is most of what a check costs, once Node
 * itself has started.
 */
import { get } from 'node:http';
import type { Command } from 'commander';
import type { CommandContext } from '../cli/context.ts';
import { CommandError, causeOf, errorCode, exitCodes, misuse } from '../errors.ts';
import { printableLines } from '../text/printable.ts';
import { findWorkers, type RunningWorker } from './running-workers.ts';

/** Docker's own limit for the check is 5 s. */
const PATIENCE_MS = 4_000;

/** The command ends with 0 when all workers are alive, or none runs, and with 1 when one is not. */
export function configureHealth(command: Command, context: CommandContext): void {
  command
    .description(
      'Asks GET /livez of every worker that runs in this container, wherever it listens. A container without a worker, ' +
        'or whose worker listens nowhere (HTTP_PORT=off), is healthy as long as it runs. On Linux only.',
    )
    .addHelpText('after', '\nExit codes: 0 healthy, 1 not.')
    .action(async () => {
      context.stdout.write(`${await healthHere()}\n`);
    });
}

/** `health` without options, as a process of its own. @returns its exit code. */
export async function checkHealth({
  stdout,
  stderr,
}: Pick<NodeJS.Process, 'stdout' | 'stderr'>): Promise<number> {
  for (const stream of [stdout, stderr]) stream.on('error', () => {});
  try {
    const text = `${await healthHere()}\n`;
    const lost = await new Promise((resolve) => void stdout.write(text, resolve));
    if (!lost || errorCode(lost) === 'EPIPE') return exitCodes.done;
    throw new CommandError(`The output is incomplete, it cannot be written: ${causeOf(lost)}.`);
  } catch (error) {
    stderr.write(`${printableLines(causeOf(error))}\n`);
    return error instanceof CommandError ? error.exitCode : exitCodes.failed;
  }
}

async function healthHere(): Promise<string> {
  return await healthOf(workersHere());
}

function workersHere(): RunningWorker[] {
  try {
    return findWorkers('/proc');
  } catch {
    throw misuse('health: there is no /proc here to find workers in.');
  }
}

/**
 * What the workers say, as one sentence. Whatever else listens in their processes, such as Node's inspector, is passed over.
 * @throws CommandError when one is not alive.
 */
export async function healthOf(workers: readonly RunningWorker[]): Promise<string> {
  const answers = (await Promise.all(workers.map(answersOf))).flat();
  const faults = answers.flatMap(({ fault }) => fault ?? []);
  if (faults.length > 0) throw new CommandError(faults.join('\n'));
  if (answers.length > 0) return `alive: ${answers.map(({ url }) => url).join(', ')}`;
  return workers.length === 0 ? 'no worker runs here' : 'the worker listens nowhere (HTTP_PORT=off)';
}

/** What an address says of the worker; with a fault, unless that is alive. */
interface Answer {
  readonly url: string;
  readonly fault?: string;
}

/** A worker has one server: where it says that it is alive, the addresses that do not answer are others'. */
async function answersOf({ listensAt }: RunningWorker): Promise<readonly Answer[]> {
  const asked = await Promise.all(listensAt.map((address) => ask(`http://${address}/livez`)));
  const answers = asked.filter((answer) => answer !== undefined);
  const alive = answers.filter(({ fault }) => fault === undefined);
  return alive.length > 0 ? alive : answers;
}

/** Not by `fetch`, which refuses ports that browsers avoid, such as 6000. @returns undefined for an answer that is no worker's. */
function ask(url: string): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const fail = (error: unknown): void => {
      // It speaks something else.
      if (errorCode(error)?.startsWith('HPE_')) resolve(undefined);
      else resolve({ url, fault: `${url} does not answer: ${causeOf(error)}` });
    };
    const request = get(url, { agent: false }, (response) => {
      let body = '';
      response
        .setEncoding('utf8')
        .on('data', (part: string) => {
          body += part;
        })
        .on('error', fail)
        .on('end', () => {
          clearTimeout(late);
          const { statusCode, headers } = response;
          if (!headers['content-type']?.startsWith('application/json')) resolve(undefined);
          else
            resolve(statusCode === 200 ? { url } : { url, fault: `${url} answers ${statusCode}: ${body}` });
        });
    });
    const late = setTimeout(
      () => request.destroy(new Error(`no answer within ${PATIENCE_MS / 1_000} s`)),
      PATIENCE_MS,
    );
    request.on('error', (error) => {
      clearTimeout(late);
      fail(error);
    });
  });
}
