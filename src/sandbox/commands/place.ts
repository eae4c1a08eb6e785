/** The sandbox's own files, in the state folder: its variables, its log, and a sample of updates. */
import { closeSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { CommandError, causeOf, errorCode } from '../../errors.ts';
import { appendPrivate, createPrivate, makePrivateFolder } from '../../files/private.ts';
import { printable } from '../../text/printable.ts';
import { sampleRows } from './sample.ts';

export interface Place {
  /** Relative to the sandbox's folder, in the form that a command takes. */
  readonly sampleFile: string;
  readonly logFile: string;
  /** Folder for the state of the sandbox's jobs, separate from that of real ones. Absolute path. */
  readonly stateDir: string;
  /** Opens the log for appending. */
  readonly openLog: () => Promise<Writable>;
  /**
   * Writes variables for other commands.
   * @returns the name of the file, in the form for `--env-file`.
   */
  readonly writeVariables: (variables: Readonly<Record<string, string>>) => string;
  /** Removes the variables, which are no longer valid. */
  readonly clear: () => void;
}

/** The first line of a file of variables. */
const HEAD = '# ota-updater sandbox, process ';
const SAMPLE = 'sandbox.csv';
const LOG = 'sandbox.log';

/** Creates the files. @returns also why that is not possible, as a phrase. */
export function makePlace(cwd: string, stateDir: string): Place | { readonly why: string } {
  const folder = resolve(cwd, stateDir);
  const shown = (name: string): string => relative(cwd, join(folder, name));
  let written: { readonly name: string; readonly text: string } | undefined;
  try {
    makePrivateFolder(folder);
    createOnce(join(folder, SAMPLE), sampleRows);
  } catch (error) {
    return { why: causeOf(error) };
  }
  return {
    sampleFile: shown(SAMPLE),
    logFile: shown(LOG),
    stateDir: join(folder, 'sandbox'),
    openLog: async () => (await appendPrivate(join(folder, LOG))).createWriteStream(),
    writeVariables: (variables) => {
      const lines = Object.entries(variables);
      const text = `${HEAD}${process.pid}\n${lines.map(([name, value]) => `${name}=${value}\n`).join('')}`;
      try {
        written = { name: createFree(folder, text), text };
      } catch (error) {
        throw new CommandError(
          `The sandbox cannot write its variables to ${printable(folder)}: ${causeOf(error)}.`,
        );
      }
      return shown(written.name);
    },
    clear: () => {
      if (written === undefined) return;
      const path = join(folder, written.name);
      if (contentOf(path) === written.text) rmSync(path, { force: true });
    },
  };
}

/** @returns the name of a new file of variables: another sandbox may run in the same folder. */
function createFree(folder: string, text: string): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? 'sandbox.env' : `sandbox-${number}.env`;
    const path = join(folder, name);
    if (isLeftOver(path)) rmSync(path, { force: true });
    if (createOnce(path, () => text)) return name;
  }
}

/** Whether it was left by a sandbox that did not end properly. */
function isLeftOver(path: string): boolean {
  const [first = ''] = (contentOf(path) ?? '').split('\n', 1);
  if (!first.startsWith(HEAD)) return false;
  try {
    process.kill(Number(first.slice(HEAD.length)), 0);
    return false;
  } catch (error) {
    return errorCode(error) === 'ESRCH';
  }
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** @returns whether the file was created. */
function createOnce(path: string, text: () => string): boolean {
  let file: number;
  try {
    file = createPrivate(path);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
  try {
    writeSync(file, text());
  } finally {
    closeSync(file);
  }
  return true;
}
