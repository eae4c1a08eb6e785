/** What a run of the tests makes once, before the first of them. */
import { makeTemplate } from './postgres/server.ts';
import { buildProgram } from './processes/build-program.ts';

/** Called by vitest. @returns what it calls after the last test. */
export async function setup(): Promise<() => void> {
  const [removeTemplate] = await Promise.all([makeTemplate(), buildProgram()]);
  return removeTemplate;
}
