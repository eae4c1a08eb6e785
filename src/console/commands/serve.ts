/** The whole console at an address: its sections over HTTP, and its background work. */
import { join, resolve } from 'node:path';
import type { CommandContext } from '../../cli/context.ts';
import { readConfig } from '../../config.ts';
import { CommandError, causeOf } from '../../errors.ts';
import { SignedOut } from '../access/signed-out.ts';
import { type ConsoleOptions, createConsole } from '../server.ts';
import { makeSections } from './sections.ts';

export interface ServeOptions extends Omit<ConsoleOptions, 'sections' | 'now' | 'signedOut'> {
  readonly context: CommandContext;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Whether due jobs are sent from here. */
  readonly send: boolean;
  /** See `PassSurroundings`. */
  readonly pollSeconds?: number | undefined;
  readonly say: (text: string) => void;
}

export interface ServedConsole {
  /** As a URL, without a path. */
  readonly address: string;
  /** Starts the background work: looks at workers, a redrive that was interrupted, sending. */
  readonly start: () => void;
  readonly close: () => Promise<void>;
}

/** @throws CommandError if it cannot listen. */
export async function serveConsole(options: ServeOptions): Promise<ServedConsole> {
  const { context, host, port, send, pollSeconds, say, onError } = options;
  const sections = makeSections({ context, say, onError, pollSeconds, send });
  await sections.restore();
  const now = context.clock.wall;
  const stateDir = resolve(context.cwd, readConfig(context.env, ['stateDir']).stateDir);
  const signedOut = await SignedOut.open({ path: join(stateDir, 'console-signed-out'), now, say });
  const app = await createConsole({ ...options, sections: sections.all, signedOut, now });
  const close = async (): Promise<void> => {
    await app.close();
    await sections.close();
  };
  try {
    // For `localhost`, Fastify would create a second server for the other address, without the limits of the
    // first.
    const address = await app.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port });
    return { address, start: sections.start, close };
  } catch (error) {
    await close();
    throw new CommandError(`the console cannot listen on ${host}, port ${port}: ${causeOf(error)}`);
  }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
