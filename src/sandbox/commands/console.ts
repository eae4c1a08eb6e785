/** The sandbox's console: the same as `console`, but limited to the sandbox. */
import { Writable } from 'node:stream';
import type { CommandContext } from '../../cli/context.ts';
import { holdersOf } from '../../console/access/tokens.ts';
import { isLoopback, serveConsole } from '../../console/commands/serve.ts';

export interface SandboxConsole {
  readonly url: string;
  /** How to open it: lines for people. */
  readonly lines: readonly string[];
  readonly close: () => Promise<void>;
}

interface SandboxConsoleOptions {
  /**
   * The sandbox's addresses, as other commands take them. The console gets no other variable, since those may name real
   * queues.
   */
  readonly variables: Readonly<Record<string, string>>;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** The operator's token. */
  readonly token: string;
}

export async function startConsole(
  { variables, host, port, token }: SandboxConsoleOptions,
  context: CommandContext,
): Promise<SandboxConsole> {
  const aws = Object.entries(variables).filter(([name]) => name.startsWith('AWS_'));
  context.setVariables({ ...Object.fromEntries(aws), AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'false' });
  const openReading = isLoopback(host);
  const { address, start, close } = await serveConsole({
    // What the console sends is shown on its pages.
    context: { ...context, env: { ...variables, LOG_LEVEL: 'silent' }, stdout: nowhere(), stderr: nowhere() },
    host,
    port,
    send: true,
    holders: () => holdersOf([{ name: 'sandbox', role: 'operator', token }]),
    hosts: [],
    openReading,
    trustedProxies: [],
    say: () => {},
    onError: (error) =>
      void context.stderr.write(`console: ${error instanceof Error ? error.stack : String(error)}\n`),
  });
  start();
  const lines = [`Console: ${address}`, `  to change something, sign in there with the token ${token}`];
  return { url: address, lines, close };
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
