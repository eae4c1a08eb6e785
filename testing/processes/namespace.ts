/** Processes in their own namespaces, as in a container, if this machine allows it. */
import { execFileSync } from 'node:child_process';

export interface Namespace {
  /** What to put before a command; empty if namespaces are not possible. */
  readonly command: readonly string[];
  /** For the name of a test. */
  readonly what: string;
}

/** @param flags of `unshare`, in addition to those for a user namespace, which any user may create. */
export function namespace(...flags: readonly string[]): Namespace {
  const command = ['unshare', '--user', ...flags];
  try {
    execFileSync('unshare', [...command.slice(1), 'true'], { stdio: 'ignore' });
    return { command, what: 'in a namespace of its own' };
  } catch {
    return { command: [], what: 'not possible on this machine: as an ordinary process' };
  }
}
