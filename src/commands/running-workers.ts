/** The workers among the processes of this machine or container, and where they listen: what Linux says in `/proc`. */
import { readdir, readFile, readlink } from 'node:fs/promises';
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
export async function findWorkers(proc: string, pids?: readonly number[]): Promise<RunningWorker[]> {
  const all = pids ?? (await readdir(proc)).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(all.map((pid) => workerAt(join(proc, String(pid)), pid)));
  return found.filter((worker) => worker !== undefined);
}

async function workerAt(folder: string, pid: number): Promise<RunningWorker | undefined> {
  try {
    const command = (await readFile(join(folder, 'cmdline'), 'utf8')).split('\0');
    if (!isWorker(command)) return undefined;
    const sockets = await socketsOf(join(folder, 'fd'));
    const tables = await Promise.all(
      ['tcp', 'tcp6'].map((name) => readFile(join(folder, 'net', name), 'utf8').catch(() => '')),
    );
    return { pid, listensAt: tables.flatMap((table) => listeners(table, sockets)) };
  } catch {
    return undefined;
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
async function socketsOf(folder: string): Promise<ReadonlySet<string>> {
  const links = await Promise.all(
    (await readdir(folder)).map((name) => readlink(join(folder, name)).catch(() => '')),
  );
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
}

const LISTENING = '0A';

/** The addresses on which `sockets` listen, of a table of the kernel's (`proc_net_tcp(5)`). */
function listeners(table: string, sockets: ReadonlySet<string>): string[] {
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    const [address = '', port = ''] = local.split(':');
    if (state !== LISTENING || !sockets.has(inode)) return [];
    return [`${reachable(address)}:${Number.parseInt(port, 16)}`];
  });
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
