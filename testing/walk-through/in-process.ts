/**
 * Runs the steps of a walk-through: ours in this process, which is faster than a process each, others in a shell. For
 * tests.
 */
import { vi } from 'vitest';
import { runInProcess } from '../stages/letters.ts';
import { type RunStep, runInShell } from './run.ts';

/**
 * Sets the folder and the environment of this process to those of the scene: the test restores them.
 * @param shellEnv further variables for the shell.
 */
export function inProcess(shellEnv: Readonly<Record<string, string>> = {}): RunStep {
  return async (command, scene) => {
    const words = command.startsWith('ota-updater ') ? wordsOf(command, scene.env) : undefined;
    if (words === undefined) return runInShell(command, { ...scene, env: { ...scene.env, ...shellEnv } });
    for (const [name, value] of Object.entries(scene.env)) vi.stubEnv(name, value);
    process.chdir(scene.folder);
    const { both, exitCode } = await runInProcess(words.slice(1), { env: scene.env });
    return { output: both, exitCode };
  };
}

/** The words of a command, split like a shell does; undefined if it needs a real shell. */
function wordsOf(command: string, env: Readonly<Record<string, string>>): string[] | undefined {
  const words: string[] = [];
  const rest = command
    .replaceAll('\\\n', ' ')
    .replace(/\s*(?:"([^"`\\]*)"|([^\s"'|&;<>$`\\]+))/gy, (_, quoted, plain) => {
      words.push(quoted?.replace(/\$(\w+)/g, (_all: string, name: string) => env[name] ?? '') ?? plain);
      return '';
    });
  return rest.trim() === '' ? words : undefined;
}
