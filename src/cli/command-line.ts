/** How this process was called, for hints that its user can paste. */
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import type { Environment } from '../config.ts';
import { type CommandLine, shellLine } from '../text/shell.ts';

/** The parts of a process that show how it was called. */
interface Call {
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly cwd: string;
}

/**
 * Makes command lines that work where this process was called:
 *
 * - with OTA_UPDATER_COMMAND if set; containers set it to the command that starts them
 *   (`docker compose run --rm worker`);
 * - `npx ota-updater` in a checkout, and where `npx` has called an installed package; from another folder, the path of the program
 *   (`npx` in a folder with a `package.json` of its own might ask the registry for another program of that name);
 * - `ota-updater` everywhere else: installed, or in a shell of the image.
 *
 * An `--env-file` that this process was given is included: without it, the next command would not know the
 * queues.
 */
export function commandLineOf({ argv, env, cwd }: Call): CommandLine {
  const program = env.OTA_UPDATER_COMMAND?.trim() || shellLine(programOf(argv[1] ?? '', cwd, env));
  const { values } = parseArgs({
    args: argv.slice(2),
    options: { 'env-file': { type: 'string' } },
    strict: false,
  });
  const envFile = values['env-file'];
  const given = typeof envFile === 'string' ? ['--env-file', envFile] : [];
  return (...args) => `${program} ${shellLine([...given, ...args])}`.trimEnd();
}

function programOf(script: string, cwd: string, env: Environment): string[] {
  if (!script.endsWith(join('src', 'main.ts'))) {
    // What `npx` calls need not be on the PATH of the shell.
    if (env.npm_command !== 'exec') return ['ota-updater'];
    return dirname(script) === join(cwd, 'node_modules', '.bin') ? ['npx', 'ota-updater'] : [script];
  }
  const checkout = dirname(dirname(script));
  if (relative(checkout, cwd) === '') return ['npx', 'ota-updater'];
  const bin = join(checkout, 'bin', 'ota-updater.js');
  return existsSync(bin) ? [bin] : ['ota-updater'];
}
