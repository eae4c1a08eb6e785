/** The complete console over HTTP, assembled as by the command, and the list of its routes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CommandContext } from '../../src/cli/context.ts';
import { makeSections } from '../../src/console/commands/sections.ts';
import type { Section } from '../../src/console/section.ts';
import { sleep } from '../../src/time/clock.ts';
import { fakeContext } from '../stages/context.ts';
import { serveConsole } from './serve.ts';

interface ConsoleRoute {
  readonly method: string;
  /** With its parameters as `:name`. */
  readonly path: string;
}

/**
 * @param env variables of the console; default for STATE_DIR: a new folder.
 * @param parts of the command's context.
 */
export async function wholeConsole(env: Record<string, string>, parts: Partial<CommandContext> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'ota-console-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const said: string[] = [];
  const errors: unknown[] = [];
  const sections = makeSections({
    context: fakeContext({ env: { STATE_DIR: folder, ...env }, cwd: folder, sleep, ...parts }),
    say: (text) => said.push(text),
    onError: (error) => errors.push(error),
    pollSeconds: 0,
    send: false,
  });
  const routes: ConsoleRoute[] = [];
  const collect: Section = {
    add: ({ app }) =>
      app.addHook('onRoute', ({ method, path }) => {
        for (const one of [method].flat()) routes.push({ method: one, path });
      }),
  };
  onTestFinished(async () => {
    await sections.close();
    if (errors.length > 0) throw new AggregateError(errors, 'the console has failed');
  });
  const url = await serveConsole({ sections: [collect, ...sections.all] });
  sections.start();
  return { url, folder, routes, said };
}
