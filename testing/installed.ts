/** Programs that tests use where they are installed. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * The first of these programs that is on this machine. They are looked for and not started: the AWS CLI needs a second to tell its version.
 * @param programs names on the PATH, or absolute paths.
 * @param without what happens without them, for the line that reports it.
 * @returns undefined if there is none.
 */
export function installed(programs: readonly string[], without: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = programs.find((program) =>
    program.startsWith('/') ? isProgram(program) : folders.some((folder) => isProgram(join(folder, program))),
  );
  if (found === undefined)
    process.stdout.write(`SKIPPED: no ${programs.join(' or ')} on this machine, ${without}\n`);
  return found;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
