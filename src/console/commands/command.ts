/** `console`: serves the pages until SIGTERM or SIGINT. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { stopOnSignal } from '../../cli/signals.ts';
import { readConfig } from '../../config.ts';
import { misuse } from '../../errors.ts';
import { printable } from '../../text/printable.ts';
import type { AlbIdentity } from '../access/alb-identity.ts';
import { isLoopback, serveConsole } from './serve.ts';
import { openTokens } from './tokens.ts';

interface Flags {
  readonly send: boolean;
  readonly openReading?: boolean;
}

const settings = [
  'consoleHost',
  'consolePort',
  'consoleHosts',
  'consoleTokens',
  'consoleTokensFile',
  'consoleTrustedProxies',
  'consoleIdentityHeader',
  'consoleIdentityAlbArn',
  'consoleOperators',
] as const;

/** Time for the last lines of output, in milliseconds. */
const LINGER_MS = 200;

/** @param pollSeconds for passes over the dead-letter queue; see `PassSurroundings`. */
export function configureConsole(command: Command, context: CommandContext, pollSeconds?: number): void {
  command
    .description(
      'Serves pages that show what goes through now and what is wrong, and forms to act on it, until SIGTERM or SIGINT. ' +
        'CONSOLE_TOKENS_FILE or CONSOLE_TOKENS says who may sign in.',
    )
    .option('--no-send', 'do not send jobs that are due: another console or `jobs send` does')
    .option('--open-reading', 'anyone who reaches the console may read without signing in; on loopback only')
    .action((flags: Flags) => runConsole(flags, context, pollSeconds));
}

async function runConsole(
  flags: Flags,
  context: CommandContext,
  pollSeconds: number | undefined,
): Promise<void> {
  const { env, cwd, exitNow } = context;
  context.stdoutIsLog = true;
  const config = readConfig(env, settings);
  const { consoleHost: host, consolePort: port, consoleTrustedProxies = [] } = config;
  const { consoleIdentityHeader: header, consoleIdentityAlbArn: arn } = config;
  const openReading = flags.openReading === true;
  if (openReading && !isLoopback(host))
    throw misuse(
      `--open-reading: on loopback only, and CONSOLE_HOST is ${host}. Give tokens in CONSOLE_TOKENS_FILE.`,
    );
  const say = (text: string): void => void context.stdout.write(`${printable(text)}\n`);
  const tokens = await openTokens({
    given: config.consoleTokens ?? [],
    path: config.consoleTokensFile && resolve(cwd, config.consoleTokensFile),
    say,
  });
  const byProxy = header !== undefined || arn !== undefined;
  if (!openReading && !byProxy && tokens.holders().length === 0)
    throw misuse(
      'Nobody could sign in. Set CONSOLE_TOKENS_FILE to a file with a line NAME:ROLE:TOKEN for each person, or use --open-reading on loopback.',
    );
  const onError = (error: unknown): void =>
    say(`failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  const alb = arn === undefined ? undefined : await openAlb(arn, context);
  try {
    const served = await serveConsole({
      context,
      host,
      port,
      send: flags.send,
      pollSeconds,
      holders: tokens.holders,
      hosts: config.consoleHosts ?? [],
      openReading,
      trustedProxies: consoleTrustedProxies,
      ...(byProxy && {
        identity: { header, operators: config.consoleOperators ?? [], ...(alb && { alb }) },
      }),
      say,
      onError,
    });
    const stopped = stopOnSignal(context, served.close);
    if (openReading) say('Reading is open: anyone who reaches this address may read without signing in.');
    say(`The console is at ${served.address}${everywhere(host)}`);
    served.start();
    await stopped;
  } finally {
    alb?.close();
    tokens.close();
  }
  setTimeout(() => exitNow(context.exitCode), LINGER_MS).unref();
}

/** If the console listens on all addresses, the address it prints is this machine's own. */
function everywhere(host: string): string {
  return host === '0.0.0.0' || host === '::'
    ? ` and at every other address of this machine (CONSOLE_HOST is ${host})`
    : '';
}

/** Loaded only when used. */
async function openAlb(arn: string, { clock, sleep }: CommandContext): Promise<AlbIdentity> {
  const { AlbIdentity, fetchKeyText } = await import('../access/alb-identity.ts');
  return new AlbIdentity({ arn, fetchText: fetchKeyText, clock, sleep });
}
