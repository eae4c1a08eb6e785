/** Processes in namespaces of their own, as in a container, where this machine allows that. */
import { execFileSync } from 'node:child_process';

export interface Namespace {
  /** What to put before a command; nothing where it is not possible. */
  readonly command: readonly string[];
  /** For the name of a test. */
  readonly what: string;
}

/** @param flags of `unshare`, after those for a user namespace, which any user may make. */
export function namespace(...flags: readonly string[]): Namespace {
  const command = ['unshare', '--user', ...flags];
  try {
    execFileSync('unshare', [...command.slice(1), 'true'], { stdio: 'ignore' });
    return { command, what: 'in a namespace of its own' };
  } catch {
    return { command: [], what: 'not possible on this machine: as an ordinary process' };
  }
}
