/** The systemd unit: what it promises, read from it; and what systemd's own tools say, where there are any. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../src/config.ts';

const path = join(import.meta.dirname, '../../deploy/systemd/ota-updater.service');
const unit = readFileSync(path, 'utf8');

/** Every `NAME=VALUE` of a section, in order. @throws Error for a line that is none. */
function section(name: string): [string, string][] {
  const [, text = ''] = new RegExp(`^\\[${name}\\]\\n([^[]*)`, 'm').exec(unit) ?? [];
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
      if (key === undefined || value === undefined) throw new Error(`no setting: ${line}`);
      return [key, value];
    });
}

const service = section('Service');
const values = (name: string): string[] => service.filter(([key]) => key === name).map(([, value]) => value);

describe('the unit', () => {
  test('gives the worker longer to stop than it takes', () => {
    const { shutdownGraceSeconds } = readConfig({}, ['shutdownGraceSeconds']);
    expect(Number(values('TimeoutStopSec')[0])).toBeGreaterThan(shutdownGraceSeconds);
  });

  test('keeps the state where the worker looks for it', () => {
    expect(values('Environment')).toEqual([`STATE_DIR=/var/lib/${values('StateDirectory')[0]}`]);
  });

  test('starts the worker, with settings from a file that only root can read', () => {
    expect(values('ExecStart')).toEqual(['/usr/local/bin/ota-updater worker']);
    expect(values('EnvironmentFile')).toEqual(['/etc/ota-updater/worker.env']);
  });

  test.each([
    ['DynamicUser', 'yes'],
    ['NoNewPrivileges', 'yes'],
    ['CapabilityBoundingSet', ''],
    ['ProtectSystem', 'strict'],
    ['ProtectHome', 'yes'],
    ['PrivateTmp', 'yes'],
    ['PrivateDevices', 'yes'],
    ['ProtectProc', 'invisible'],
    ['RestrictAddressFamilies', 'AF_INET AF_INET6'],
    ['RestrictNamespaces', 'yes'],
    ['SystemCallArchitectures', 'native'],
    ['UMask', '0077'],
  ])('has %s=%s', (name, value) => {
    expect(values(name)).toEqual([value]);
  });

  test('sets nothing twice but the filter of system calls', () => {
    const names = service.map(([key]) => key).filter((key) => key !== 'SystemCallFilter');
    expect(names).toEqual([...new Set(names)]);
    expect(values('SystemCallFilter')).toEqual(['@system-service', '~@privileged @resources']);
  });
});

/** In tenths; of a unit without any hardening it is 96. */
const MOST_EXPOSURE = 12;

test("systemd's own tools take it, and call it hardened", () => {
  const analyze = (...args: readonly string[]) =>
    spawnSync('systemd-analyze', args, { encoding: 'utf8', env: { ...process.env, SYSTEMD_COLORS: '0' } });
  if (analyze('--version').status !== 0) {
    process.stdout.write('SKIPPED: no systemd-analyze on this machine, the unit was only read\n');
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'unit-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  // `verify` wants the program to be there.
  const copy = join(folder, 'ota-updater.service');
  writeFileSync(copy, unit.replace('/usr/local/bin/ota-updater', process.execPath));
  const verified = analyze('verify', copy);
  expect({ status: verified.status, said: verified.stdout + verified.stderr }).toEqual({
    status: 0,
    said: '',
  });
  const judged = analyze('security', '--offline=true', `--threshold=${MOST_EXPOSURE}`, copy);
  expect(judged.status, judged.stdout + judged.stderr).toBe(0);
});
