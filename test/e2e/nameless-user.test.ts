/** A user id without an account and without HOME, in group 0: how OpenShift runs containers. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Child } from '../../testing/processes/child.ts';
import { namespace } from '../../testing/processes/namespace.ts';
import { otaProgram, surroundings } from '../../testing/processes/ota.ts';
import { setStage } from '../../testing/stages/stage.ts';

const UID = '54321';
const nameless = namespace(`--map-user=${UID}`, '--map-group=0');

test(`reaches AWS, and says its number where a name is asked for (${nameless.what})`, async () => {
  const stage = await setStage();
  onTestFinished(() => stage.strike());
  const cwd = mkdtempSync(join(tmpdir(), 'ota-nameless-'));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  const start = (...args: readonly string[]): Child => {
    const program = [process.execPath, ...otaProgram(), ...args];
    const [file = '', ...rest] = [...nameless.command, ...program];
    const noName = { HOME: undefined, USER: undefined, LOGNAME: undefined };
    const env = { ...surroundings, ...stage.environment(), ...noName };
    const child = Child.start(file, rest, { cwd, env, keepOutput: true });
    onTestFinished(() => child.end());
    return child;
  };
  const redrive = start('dead-letters', 'redrive', '--all', '--yes', '--reason', 'a test');
  const check = start('check');
  await check.exited;
  expect(check.output.stdout).toMatch(/^ok +QUEUE_URL/m);
  const log = join(cwd, '.ota-updater/dead-letters.log');
  await expect.poll(() => existsSync(log) && readFileSync(log, 'utf8')).toContain('"begin"');
  const [begin = ''] = readFileSync(log, 'utf8').split('\n');
  const { by } = JSON.parse(begin) as { by: string };
  expect(by).toMatch(nameless.command.length > 0 ? `uid ${UID}` : /./);
  expect(redrive.output.stderr).not.toMatch(/SystemError|^ +at /m);
});
