/** The processes of the bench. */
import { Child } from '../../testing/processes/child.ts';

const START_WITHIN_MS = 20_000;

/**
 * Starts a Node process in its own process group, with this environment in addition to PATH and HOME. Its stderr is
 * ours; its stdout is read and discarded, so that it never waits for us.
 */
export function startProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  ipc = false,
): Child {
  return Child.startNode(args, {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stderr: 'inherit',
    group: true,
    ipc,
  });
}

/** The first line of its stdout, as JSON. */
export function firstLine<T>(child: Child): Promise<T> {
  return child.find((line) => JSON.parse(line) as T, START_WITHIN_MS);
}
