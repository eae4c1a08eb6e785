/**
 * The workers among the processes of this machine or container, and where they listen: what Linux says in `/proc`. At once, not by promises:
 * nothing else waits in this process, and Node's threads cost more than the reading.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface RunningWorker {
  readonly pid: number;
  /** `127.0.0.1:8080`, `[::1]:8080`. A worker listens for health and metrics alone. */
  readonly listensAt: readonly string[];
}

/** Names of the file that a process of ours was started with. */
const programs: readonly string[] = ['ota-updater', 'ota-updater.js', 'main.mjs', 'main.ts'];

/**
 * @param proc where the processes are: `/proc`.
 * @param pids of these alone; default all.
 * @throws when `proc` cannot be read. Processes that end meanwhile, or are another user's, are passed over.
 */
export function findWorkers(proc: string, pids?: readonly number[]): RunningWorker[] {
  const all = pids ?? readdirSync(proc).flatMap((name) => (/^\d+$/.test(name) ? Number(name) : []));
  return all.flatMap((pid) => workerAt(join(proc, String(pid)), pid) ?? []);
}

function workerAt(folder: string, pid: number): RunningWorker | undefined {
  try {
    const command = readFileSync(join(folder, 'cmdline'), 'utf8').split('\0');
    if (!isWorker(command)) return undefined;
    const sockets = socketsOf(join(folder, 'fd'));
    // An init, which has none, names the worker in its own command line.
    const tables =
      sockets.size === 0 ? [] : ['tcp', 'tcp6'].map((name) => tableAt(join(folder, 'net', name)));
    return { pid, listensAt: tables.flatMap((table) => listeners(table, sockets)) };
  } catch {
    return undefined;
  }
}

/** Empty where there is none, as of IPv6 in a container without it. */
function tableAt(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Whether the command line is `… ota-updater [--env-file FILE] worker …`. */
function isWorker(command: readonly string[]): boolean {
  const script = command.findIndex((word) => programs.includes(basename(word)));
  if (script === -1) return false;
  const words = command.slice(script + 1);
  const first = words.findIndex((word, i) => !word.startsWith('-') && words[i - 1] !== '--env-file');
  return words[first] === 'worker';
}

/** The inodes of a process's open sockets. */
function socketsOf(folder: string): ReadonlySet<string> {
  return new Set(
    readdirSync(folder).flatMap((name) => /^socket:\[(\d+)\]$/.exec(linkAt(join(folder, name)))?.[1] ?? []),
  );
}

/** Empty for one that was closed meanwhile. */
function linkAt(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** A listening socket in a table of the kernel's (`proc_net_tcp(5)`): address, port and inode. Most lines are of others, and read no further. */
const LISTENING = /^ *\d+: ([0-9A-F]+):([0-9A-F]+) \S+ 0A(?: +\S+){5} +(\d+)/gm;

/** The addresses on which `sockets` listen. */
function listeners(table: string, sockets: ReadonlySet<string>): string[] {
  return [...table.matchAll(LISTENING)].flatMap(([, address = '', port = '', inode = '']) =>
    sockets.has(inode) ? [`${reachable(address)}:${Number.parseInt(port, 16)}`] : [],
  );
}

/** An address of the table, in words of four bytes as a little-endian machine keeps them; for all addresses, this machine's. */
function reachable(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) =>
    (word.match(/../g) ?? []).reverse().map((byte) => Number.parseInt(byte, 16)),
  );
  // Node listens on `::` for both families, and a container need not have the other.
  if (bytes.every((byte) => byte === 0)) return '127.0.0.1';
  if (bytes.length === 4) return bytes.join('.');
  const words = Array.from({ length: 8 }, (_, i) => (bytes[2 * i] ?? 0) * 256 + (bytes[2 * i + 1] ?? 0));
  return `[${words.map((word) => word.toString(16)).join(':')}]`;
}
