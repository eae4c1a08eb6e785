/** Debian's Python, for code that needs its packages. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** Debian's own first: another Python on the path may lack the packages. */
const candidates = ['/usr/bin/python3', 'python3'];

/**
 * A Python that has these modules; reports if there is none.
 * @returns undefined if there is none.
 */
export function pythonWith(...modules: readonly string[]): string | undefined {
  return pythonsWith(...modules)[0];
}

/** Every Python that has these modules: versions differ, and boto3 uses different protocols. Reports if there is none. */
export function pythonsWith(...modules: readonly string[]): string[] {
  const paths = candidates.map((python) => {
    const { status, stdout } = spawnSync(python, [
      '-c',
      // Found, not imported: that takes seconds for some of them.
      'import sys, importlib.util as u; print(sys.executable if all(map(u.find_spec, sys.argv[1:])) else "")',
      ...modules,
    ]);
    return status === 0 ? String(stdout).trim() : '';
  });
  const found = [...new Set(paths)].filter((path) => path !== '');
  if (found.length === 0)
    process.stdout.write(`SKIPPED: no Python with ${modules.join(' and ')} on this machine\n`);
  return found;
}

export interface PythonRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Python to its end. @param input its standard input. */
export async function runPython(
  python: string,
  args: readonly string[],
  input = '',
  env: Readonly<Record<string, string>> = {},
): Promise<PythonRun> {
  const child = spawn(python, args, {
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONIOENCODING: 'utf-8', ...env },
  });
  child.stdin.end(input);
  const closed = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = (await closed) as [number];
  return { code, stdout, stderr };
}
