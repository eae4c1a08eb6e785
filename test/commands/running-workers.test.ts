import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { findWorkers } from '../../src/commands/running-workers.ts';

let proc: string;
beforeEach(() => {
  proc = mkdtempSync(join(tmpdir(), 'ota-proc-'));
  onTestFinished(() => rmSync(proc, { recursive: true }));
  mkdirSync(join(proc, 'self'));
});

interface Fake {
  readonly command: readonly string[];
  /** A local address as the kernel writes it, with its state. */
  readonly tcp?: readonly (readonly [string, string])[];
  readonly tcp6?: readonly (readonly [string, string])[];
}

const HEADER =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';

/** A process whose sockets all stand in its tables, together with one of another process. */
function fake(pid: number, { command, tcp = [], tcp6 = [] }: Fake): void {
  const folder = join(proc, String(pid));
  mkdirSync(join(folder, 'fd'), { recursive: true });
  mkdirSync(join(folder, 'net'));
  writeFileSync(join(folder, 'cmdline'), `${command.join('\0')}\0`);
  symlinkSync('/somewhere', join(folder, 'fd/0'));
  let inode = 100;
  const table = (rows: readonly (readonly [string, string])[]): string => {
    const line = (address: string, state: string, of: number): string =>
      `   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${of} 1 0 100 0\n`;
    const own = rows.map(([address, state]) => {
      symlinkSync(`socket:[${++inode}]`, join(folder, 'fd', String(inode)));
      return line(address, state, inode);
    });
    return HEADER + line('0100007F:0001', '0A', 9) + own.join('');
  };
  writeFileSync(join(folder, 'net/tcp'), table(tcp));
  writeFileSync(join(folder, 'net/tcp6'), table(tcp6));
}

const LISTENS = '0A';

describe('where a worker listens', () => {
  test.each<[string, Omit<Fake, 'command'>, string[]]>([
    ['HTTP_HOST=127.0.0.1', { tcp: [['0100007F:1F90', LISTENS]] }, ['127.0.0.1:8080']],
    ['HTTP_HOST=0.0.0.0', { tcp: [['00000000:1F90', LISTENS]] }, ['127.0.0.1:8080']],
    ['an address of the machine', { tcp: [['0500000A:0050', LISTENS]] }, ['10.0.0.5:80']],
    [
      'HTTP_HOST=::1',
      { tcp6: [['00000000000000000000000001000000:1F90', LISTENS]] },
      ['[0:0:0:0:0:0:0:1]:8080'],
    ],
    ['HTTP_HOST=::', { tcp6: [['00000000000000000000000000000000:1F90', LISTENS]] }, ['127.0.0.1:8080']],
    ['HTTP_PORT=off', { tcp: [['0100007F:C350', '01']] }, []],
  ])('%s', (_, sockets, listensAt) => {
    fake(7, { command: ['node', '--', '/usr/local/bin/ota-updater', 'worker'], ...sockets });
    expect(findWorkers(proc)).toEqual([{ pid: 7, listensAt }]);
  });
});

describe('which process is a worker', () => {
  test.each<[boolean, string]>([
    [true, 'node -- /usr/local/bin/ota-updater worker'],
    [true, '/sbin/docker-init -- ota-updater worker'],
    [true, 'node src/main.ts --env-file .env worker'],
    [true, 'node dist/main.mjs --env-file=worker worker'],
    [false, 'node -- /usr/local/bin/ota-updater jobs apply worker'],
    [false, 'node -- /usr/local/bin/ota-updater sandbox'],
    [false, 'node -- /usr/local/bin/ota-updater --env-file worker health'],
    [false, 'node -- /usr/local/bin/ota-updater'],
    [false, 'node server.js worker'],
    [false, ''],
  ])('%s: %s', (expected, command) => {
    fake(7, { command: command.split(' ') });
    expect(findWorkers(proc)).toHaveLength(expected ? 1 : 0);
  });

  test('processes that have gone are passed over', () => {
    mkdirSync(join(proc, '8'));
    expect(findWorkers(proc)).toEqual([]);
  });
});
