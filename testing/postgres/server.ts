/** A real PostgreSQL server, really started, stopped and killed, in a temporary folder. */
import { execFile, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { Child } from '../processes/child.ts';
import { childrenOf } from '../processes/proc.ts';
import { freePort } from '../redis/ports.ts';

/** Where Debian keeps programs that are not on the path. */
const DEBIAN = '/usr/lib/postgresql';

/** The folder of `postgres` and `initdb`; undefined if there is none on this machine. */
function findPrograms(): string | undefined {
  const debian = existsSync(DEBIAN)
    ? readdirSync(DEBIAN)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => join(DEBIAN, version, 'bin'))
    : [];
  const folders = [...debian, ...(process.env.PATH ?? '').split(delimiter)];
  return folders.find((folder) => ['postgres', 'initdb'].every((name) => existsSync(join(folder, name))));
}

/** Whether PostgreSQL is installed on this machine; reports if it is not. */
export function postgresInstalled(): boolean {
  if (findPrograms() !== undefined) return true;
  process.stdout.write('SKIPPED: no PostgreSQL on this machine, the ledger in it is not tested\n');
  return false;
}

export interface PostgresServer {
  readonly port: number;
  /** Makes an empty database. @returns its URL. */
  createDatabase(): Promise<string>;
  /** Ends it like an operator's fast shutdown: clients are told. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again at the same place, with everything that was committed. */
  start(): Promise<void>;
  /** Ends it, and removes its folder. */
  remove(): Promise<void>;
}

/** Names the data folder of an empty server, for all tests of a run. */
const TEMPLATE = 'OTA_UPDATER_POSTGRES_TEMPLATE';

/** Creates the data of an empty server once per test run, in the run's folder: each server then starts with a copy. */
export async function makeTemplate(): Promise<void> {
  const programs = findPrograms();
  if (programs !== undefined) process.env[TEMPLATE] = await initialise(programs, ownedFolder());
}

/** Starts an empty server on a free port, for the user `tester` with the password `secret`. The caller must remove it. */
export async function startPostgres(): Promise<PostgresServer> {
  const programs = findPrograms();
  if (programs === undefined) throw new Error('no PostgreSQL on this machine');
  const folder = ownedFolder();
  const { [TEMPLATE]: template } = process.env;
  const data = template === undefined ? await initialise(programs, folder) : await copyData(template, folder);
  const port = await freePort();
  const launch = () => start(join(programs, 'postgres'), data, folder, port);
  let server = await launch();
  let databases = 0;
  const kill = async (): Promise<void> => {
    // Its children would notice its end only later, and could still answer once.
    const children = childrenOf(server.pid);
    await server.end();
    for (const child of children) killIfThere(child);
  };
  return {
    port,
    createDatabase: async () => {
      const name = `db${++databases}`;
      await query(port, `CREATE DATABASE ${name}`);
      return urlOf(port, name);
    },
    stop: async () => {
      server.signal('SIGINT');
      await server.exited;
    },
    kill,
    start: async () => {
      server = await launch();
    },
    remove: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A temporary folder owned by the user that the server runs as. */
function ownedFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postgres-'));
  const user = owner();
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  return folder;
}

/** @returns the data folder. */
async function initialise(programs: string, folder: string): Promise<string> {
  const data = join(folder, 'data');
  const flags = ['-D', data, '-U', 'tester', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'];
  await promisify(execFile)(...asOwner(join(programs, 'initdb'), flags));
  return data;
}

/** @returns the copy, with the same owner. */
async function copyData(template: string, folder: string): Promise<string> {
  await promisify(execFile)('cp', ['-a', template, folder]);
  return join(folder, basename(template));
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended with its parent.
  }
}

function urlOf(port: number, database: string): string {
  return `postgres://tester:secret@127.0.0.1:${port}/${database}`;
}

async function query(port: number, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(port, 'postgres') });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

/** PostgreSQL does not run as root; for root, this is Debian's user for it. */
function owner(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const of = (flag: string): number =>
    Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);
  return { uid: of('-u'), gid: of('-g') };
}

function asOwner(command: string, args: readonly string[]): [string, string[]] {
  const user = owner();
  if (user === undefined) return [command, [...args]];
  const { uid, gid } = user;
  return ['setpriv', [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', command, ...args]];
}

async function start(command: string, data: string, folder: string, port: number): Promise<Child> {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    fsync: 'off',
    full_page_writes: 'off',
    max_connections: '60',
    shared_buffers: '32MB',
    logging_collector: 'off',
    // In the data folder: a server that is killed leaves what it has elsewhere.
    dynamic_shared_memory_type: 'mmap',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = Child.start(...asOwner(command, ['-D', data, '-p', String(port), ...flags]), {
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
  });
  await server.find((line) =>
    line.includes('database system is ready to accept connections') ? true : undefined,
  );
  return server;
}
