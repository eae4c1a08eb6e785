/** How this process was called, for hints that its user can paste. */
import { existsSync } from 'node:fs';
import { basename, delimiter, dirname, join, relative, sep } from 'node:path';
import { parseArgs } from 'node:util';
import type { Environment } from '../config.ts';
import { type CommandLine, shellLine } from '../text/shell.ts';

/** The parts of a process that show how it was called. */
interface Call {
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly cwd: string;
  /** Whether there is a file at this path; default: asks the file system. */
  readonly exists?: (path: string) => boolean;
}

const NAME = 'ota-updater';
const BY_NPX = ['npx', NAME];

/**
 * Makes command lines that work where this process was called:
 *
 * - with OTA_UPDATER_COMMAND if set; containers set it to the command that starts them
 *   (`docker compose run --rm worker`);
 * - `npx ota-updater` in a checkout, and in a folder where the package is installed, whether npx, an npm script or a path has
 *   called the program;
 * - `ota-updater` if the PATH leads to the program: installed globally, or in the image;
 * - the path of the program everywhere else: called from another folder, or fetched by npx (`npx ota-updater` might ask the
 *   registry for another program of that name there).
 *
 * An `--env-file` that this process was given is included: without it, the next command would not know the
 * queues.
 */
export function commandLineOf(call: Call): CommandLine {
  const { argv, env } = call;
  const program = env.OTA_UPDATER_COMMAND?.trim() || shellLine(programOf(call));
  const { values } = parseArgs({
    args: argv.slice(2),
    options: { 'env-file': { type: 'string' } },
    strict: false,
  });
  const envFile = values['env-file'];
  const given = typeof envFile === 'string' ? ['--env-file', envFile] : [];
  return (...args) => `${program} ${shellLine([...given, ...args])}`.trimEnd();
}

function programOf({ argv: [node = 'node', script = ''], env, cwd, exists }: Call): string[] {
  if (script.endsWith(join('src', 'main.ts'))) {
    const checkout = dirname(dirname(script));
    return relative(checkout, cwd) === '' ? BY_NPX : [join(checkout, 'bin', `${NAME}.js`)];
  }
  if (script.startsWith(join(cwd, 'node_modules') + sep)) return BY_NPX;
  const typed = (program: string): string => typedAs(program, env, exists);
  return basename(script) === NAME ? [typed(script)] : [typed(node), '--', script];
}

/** A program by its name if that is what the PATH leads to, otherwise by its path. */
function typedAs(program: string, { PATH = '' }: Environment, exists: Call['exists'] = existsSync): string {
  const name = basename(program);
  const found = PATH.split(delimiter)
    // npm adds the folders of packages to the PATH of what it runs, and only of that.
    .filter((folder) => !folder.endsWith(join('node_modules', '.bin')))
    .find((folder) => exists(join(folder, name)));
  return found === dirname(program) ? name : program;
}
