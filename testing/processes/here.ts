/** Runs a command in this process instead of a separate one, to test its output and its end. This takes a tenth of the CPU. */
import { PassThrough, Readable } from 'node:stream';
import { onTestFinished, vi } from 'vitest';
import { SignalInbox } from '../../src/cli/signal-inbox.ts';
import { runProcess } from '../../src/process.ts';
import { otaProgram, root, surroundings } from './ota.ts';
import type { CommandOptions, CommandResult } from './process.ts';

/**
 * Runs a command to its end, as its process would. The SDK and `--env-file` read variables from this process: it has those of
 * `env` until the end of the test, in addition to its own.
 */
export async function runHere(
  args: readonly string[],
  { env = {}, stdin = '', cwd = root }: Pick<CommandOptions, 'env' | 'stdin' | 'cwd'> = {},
): Promise<CommandResult> {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  const output = { stdout: '', stderr: '' };
  const keep = (name: 'stdout' | 'stderr'): PassThrough =>
    new PassThrough().on('data', (chunk: Buffer) => {
      output[name] += chunk.toString();
    });
  const process = {
    argv: [globalThis.process.execPath, otaProgram().at(-1), ...args],
    env: { OTA_UPDATER_COMMAND: surroundings.OTA_UPDATER_COMMAND, ...env },
    cwd: () => cwd,
    stdin: Readable.from([Buffer.from(stdin)]),
    stdout: keep('stdout'),
    stderr: keep('stderr'),
    on: () => process,
    exit: () => {},
    exitCode: 0,
  };
  await runProcess(process as unknown as NodeJS.Process, new SignalInbox(process));
  return { code: process.exitCode, signal: null, ...output };
}
