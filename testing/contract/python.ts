/** Python as Debian has it, for what stands on its packages. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** Debian's own first: another one on the path need not have its packages. */
const candidates = ['/usr/bin/python3', 'python3'];

/**
 * A Python that has these modules; says so where there is none.
 * @returns undefined: there is none.
 */
export function pythonWith(...modules: readonly string[]): string | undefined {
  return pythonsWith(...modules)[0];
}

/** Every Python that has these modules: their versions differ, and boto3's with the protocol that it speaks. Says so where there is none. */
export function pythonsWith(...modules: readonly string[]): string[] {
  const paths = candidates.map((python) => {
    const { status, stdout } = spawnSync(python, [
      '-c',
      `import sys, ${modules.join(', ')}; print(sys.executable)`,
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

/** Runs Python to its end. @param input what it reads from its standard input. */
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
