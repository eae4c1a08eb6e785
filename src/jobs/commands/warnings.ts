/** What `check` finds, as warnings of a command that does not need it yet. */
import type { CommandContext } from '../../cli/context.ts';
import { ConfigError, type Environment, readConfig } from '../../config.ts';
import { messageOf } from '../../errors.ts';

/** Nobody waits longer for a warning. */
const PATIENCE_MS = 10_000;

/** A line for each thing that a worker with this environment would be wrong with. Never rejects. */
export async function checkWarnings({ env, sleep }: CommandContext): Promise<readonly string[]> {
  const enough = new AbortController();
  const late = sleep(PATIENCE_MS, enough.signal).then(() => [
    `check: no answer within ${PATIENCE_MS / 1_000} s; see \`ota-updater check\``,
  ]);
  try {
    return await Promise.race([findings(env), late]);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map((fault) => `check: ${fault}`);
    return [`check failed: ${messageOf(error)}`];
  } finally {
    enough.abort();
  }
}

async function findings(env: Environment): Promise<readonly string[]> {
  const config = readConfig(env);
  // The SDK takes 25 MB: not for a configuration that is wrong already.
  const { runCheck } = await import('../../check/run-check.ts');
  const found = await runCheck(config, env);
  return found
    .filter(({ severity }) => severity !== 'ok')
    .map(({ where, what, fix }) => `check: ${where} ${what}${fix === undefined ? '' : `; ${fix}`}`);
}
